// string.rep and string.format without their ways to run for ever or to print an address.
#include "internal.h"

#include <math.h>
#include <string.h>

static int rep(lua_State *L) {
  size_t length, between;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &between);
  if (count <= 0 || length + between == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  size_t limit = shim_vm_of(L)->limit;
  if ((uint64_t)count > limit / (length + between)) {
    const char *got = lua_pushfstring(L, "%I copies of %I bytes", (LUAI_UACINT)count, (LUAI_UACINT)(length + between));
    const char *expected = lua_pushfstring(L, "at most the memory limit of %I bytes", (LUAI_UACINT)limit);
    return shim_raise(L, "the result of 'string.rep' is too long", expected, got, NULL);
  }
  size_t total = length * (size_t)count + between * (size_t)(count - 1);
  luaL_Buffer buffer;
  char *out = luaL_buffinitsize(L, &buffer, total);
  for (lua_Integer i = 0; i < count; i++) {
    memcpy(out, text, length);
    out += length;
    if (i + 1 == count) break;
    memcpy(out, separator, between);
    out += between;
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

/// Checks the conversions of string.format, gives %s its text without addresses and numbers no NaN with a sign, then
/// calls the stock function.
static int format(lua_State *L) {
  size_t length;
  const char *at = luaL_checklstring(L, 1, &length), *end = at + length;
  int top = lua_gettop(L), argument = 1;
  while ((at = memchr(at, '%', (size_t)(end - at)))) {
    at++;
    if (*at == '%') {
      at++;
      continue;
    }
    argument++;
    at += strspn(at, "-+ #0123456789.");
    if (*at == 'p') return shim_raise(L, "string.format has no '%p' in a recipe", NULL, NULL, "Addresses differ from run to run.");
    if (*at == 's' && argument <= top && lua_type(L, argument) != LUA_TSTRING) {
      shim_push_text(L, argument);
      lua_replace(L, argument);
      lua_settop(L, top);
    }
    // The C library prints the sign of a NaN, which means nothing and differs between processors.
    if (argument <= top && lua_type(L, argument) == LUA_TNUMBER && isnan(lua_tonumber(L, argument))) {
      lua_pushnumber(L, (lua_Number)NAN);
      lua_replace(L, argument);
    }
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

void shim_open_strings(lua_State *L) {
  lua_getfield(L, -1, LUA_STRLIBNAME);
  lua_pushcfunction(L, rep);
  lua_setfield(L, -2, "rep");
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, format, 1);
  lua_setfield(L, -2, "format");
  shim_open_matching(L);
  lua_pop(L, 1);
}
