// string.find, match, gmatch and gsub on the interruptible matcher.
#include "patterns.h"

#include <ctype.h>
#include <string.h>

// MARK: - Captures

static matcher make_matcher(lua_State *L, const char *text, size_t length) {
  return (matcher){.L = L, .vm = shim_vm_of(L), .begin = text, .end = text + length};
}

static void push_capture(matcher *m, const pattern *p, int index, const char *begin, const char *end) {
  if (index >= p->captures) {
    if (index > 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(m->L, begin, (size_t)(end - begin));
  } else if (m->captures[index].length == CAPTURE_POSITION) {
    lua_pushinteger(m->L, m->captures[index].begin - m->begin + 1);
  } else {
    lua_pushlstring(m->L, m->captures[index].begin, (size_t)m->captures[index].length);
  }
}

/// Pushes the captures, or the whole match when there are none and `whole` asks for it.
static int push_captures(matcher *m, const pattern *p, const char *begin, const char *end, bool whole) {
  int count = p->captures == 0 && whole ? 1 : p->captures;
  luaL_checkstack(m->L, count, "too many captures");
  for (int i = 0; i < count; i++) push_capture(m, p, i, begin, end);
  return count;
}

// MARK: - find, match

/// The first place of `wanted`, without patterns.
static const char *find_plain(matcher *m, const char *at, const char *wanted, size_t length) {
  if (length == 0) return at;
  for (; (size_t)(m->end - at) >= length; at++) {
    at = memchr(at, *wanted, (size_t)(m->end - at) - length + 1);
    if (!at) return NULL;
    size_t same = 1;
    while (same < length && at[same] == wanted[same]) {
      shim_poll(m);
      same++;
    }
    if (same == length) return at;
    shim_poll(m);
  }
  return NULL;
}

/// The start in bytes, counted from 0, of a position that may count from the end; past the end: length + 1.
static size_t start_of(lua_Integer position, size_t length) {
  if (position > 0) return (size_t)position - 1 <= length ? (size_t)position - 1 : length + 1;
  if (position == 0 || position < -(lua_Integer)length) return 0;
  return length - (size_t)-position;
}

static int push_place(lua_State *L, const matcher *m, const char *begin, const char *end) {
  lua_pushinteger(L, begin - m->begin + 1);
  lua_pushinteger(L, end - m->begin);
  return 2;
}

static int search(lua_State *L, bool find) {
  size_t length, pattern_length;
  const char *text = luaL_checklstring(L, 1, &length), *source = luaL_checklstring(L, 2, &pattern_length);
  size_t start = start_of(luaL_optinteger(L, 3, 1), length);
  if (start > length) {
    lua_pushnil(L);
    return 1;
  }
  matcher m = make_matcher(L, text, length);
  const char *at = text + start;
  if (find && (lua_toboolean(L, 4) || strcspn(source, "^$*+?.([%-") == pattern_length)) {
    const char *found = find_plain(&m, at, source, pattern_length);
    if (found) return push_place(L, &m, found, found + pattern_length);
    lua_pushnil(L);
    return 1;
  }
  pattern compiled, *p = &compiled;
  shim_compile_pattern(L, source, pattern_length, p);
  do {
    shim_poll(&m);
    const char *end = shim_match(&m, at, p->items);
    if (end) return find ? push_place(L, &m, at, end) + push_captures(&m, p, at, end, false)
                         : push_captures(&m, p, at, end, true);
  } while (at++ < m.end && !p->anchored);
  lua_pushnil(L);
  return 1;
}

static int find(lua_State *L) { return search(L, true); }
static int match(lua_State *L) { return search(L, false); }

// MARK: - gmatch

/// Upvalues: text, compiled pattern, next start, end of the last match (-1: none).
static int next_match(lua_State *L) {
  size_t length;
  const char *text = lua_tolstring(L, lua_upvalueindex(1), &length);
  const pattern *p = lua_touserdata(L, lua_upvalueindex(2));
  lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
  matcher m = make_matcher(L, text, length);
  for (const char *at = text + lua_tointeger(L, lua_upvalueindex(3)); at <= m.end; at++) {
    shim_poll(&m);
    const char *end = shim_match(&m, at, p->items);
    if (!end || end - text == last) continue;
    lua_pushinteger(L, end - text);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return push_captures(&m, p, at, end, true);
  }
  return 0;
}

static int gmatch(lua_State *L) {
  size_t length, pattern_length;
  luaL_checklstring(L, 1, &length);
  const char *source = luaL_checklstring(L, 2, &pattern_length);
  size_t start = start_of(luaL_optinteger(L, 3, 1), length);
  lua_settop(L, 2);
  // A '^' has no special meaning in gmatch.
  lua_pushvalue(L, 1);
  if (pattern_length > 0 && *source == '^') {
    lua_pushliteral(L, "%");
    lua_pushvalue(L, 2);
    lua_concat(L, 2);
    source = lua_tolstring(L, -1, &pattern_length);
  }
  pattern *p = lua_newuserdatauv(L, sizeof *p, 1);
  shim_compile_pattern(L, source, pattern_length, p);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_pushinteger(L, (lua_Integer)start);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, next_match, 4);
  return 1;
}

// MARK: - gsub

static void add_template(matcher *m, luaL_Buffer *out, const pattern *p, const char *begin, const char *end) {
  size_t length;
  const char *text = lua_tolstring(m->L, 3, &length);
  for (const char *at = text, *stop = text + length; at < stop; at++) {
    if (*at != '%') {
      luaL_addchar(out, *at);
      continue;
    }
    unsigned char what = ++at < stop ? (unsigned char)*at : 0;
    if (what == '%') {
      luaL_addchar(out, '%');
    } else if (what == '0') {
      luaL_addlstring(out, begin, (size_t)(end - begin));
    } else if (isdigit(what)) {
      push_capture(m, p, what - '1', begin, end);
      luaL_tolstring(m->L, -1, NULL);
      lua_remove(m->L, -2);
      luaL_addvalue(out);
    } else {
      luaL_error(m->L, "invalid use of '%%' in replacement string");
    }
  }
}

/// Adds the replacement of a match. The value on top of the buffer decides: false or nil keeps the match.
static void add_replacement(matcher *m, luaL_Buffer *out, const pattern *p, const char *begin, const char *end) {
  lua_State *L = m->L;
  if (lua_type(L, 3) == LUA_TTABLE) {
    push_capture(m, p, 0, begin, end);
    lua_gettable(L, 3);
  } else if (lua_type(L, 3) == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, push_captures(m, p, begin, end, true), 1);
  } else {
    add_template(m, out, p, begin, end);
    return;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(out, begin, (size_t)(end - begin));
  } else if (!lua_isstring(L, -1)) {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  } else {
    luaL_addvalue(out);
  }
}

static int gsub(lua_State *L) {
  size_t length, pattern_length;
  const char *text = luaL_checklstring(L, 1, &length), *source = luaL_checklstring(L, 2, &pattern_length);
  int kind = lua_type(L, 3);
  luaL_argexpected(L, kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TTABLE || kind == LUA_TFUNCTION, 3,
                   "string/function/table");
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1), count = 0;
  lua_settop(L, 3);
  pattern compiled, *p = &compiled;
  shim_compile_pattern(L, source, pattern_length, p);
  matcher m = make_matcher(L, text, length);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  const char *at = text, *last = NULL;
  while (count < most) {
    shim_poll(&m);
    const char *end = shim_match(&m, at, p->items);
    if (end && end != last) {
      count++;
      add_replacement(&m, &out, p, at, end);
      at = last = end;
    } else if (at < m.end) {
      luaL_addchar(&out, *at++);
    } else {
      break;
    }
    if (p->anchored) break;
  }
  luaL_addlstring(&out, at, (size_t)(m.end - at));
  luaL_pushresult(&out);
  lua_pushinteger(L, count);
  return 2;
}

void shim_open_matching(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"find", find}, {"match", match}, {"gmatch", gmatch}, {"gsub", gsub}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
