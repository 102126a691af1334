// pairs and next in a defined order: numbers ascending, then strings by their bytes, then false and true, then userdata
// by the order text of their type. Tables, functions and coroutines as keys have no order that a rerun would repeat.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  enum { KEY_INTEGER, KEY_NUMBER, KEY_STRING, KEY_BOOLEAN, KEY_OBJECT } kind;
  int slot;
  size_t length;
  union {
    lua_Integer integer;
    lua_Number number;
    const char *text;
  } value;
} sort_key;

// MARK: - Comparing

static int compare_numbers(const sort_key *a, const sort_key *b) {
  if (a->kind == KEY_INTEGER && b->kind == KEY_INTEGER)
    return (a->value.integer > b->value.integer) - (a->value.integer < b->value.integer);
  long double x = a->kind == KEY_INTEGER ? (long double)a->value.integer : (long double)a->value.number;
  long double y = b->kind == KEY_INTEGER ? (long double)b->value.integer : (long double)b->value.number;
  return (x > y) - (x < y);
}

static int compare_texts(const sort_key *a, const sort_key *b) {
  size_t common = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->value.text, b->value.text, common);
  return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int compare(const void *first, const void *second) {
  const sort_key *a = first, *b = second;
  bool a_number = a->kind <= KEY_NUMBER, b_number = b->kind <= KEY_NUMBER;
  if (a_number && b_number) return compare_numbers(a, b);
  if (a->kind != b->kind && a_number == b_number) return a->kind < b->kind ? -1 : 1;
  if (a_number != b_number) return a_number ? -1 : 1;
  if (a->kind == KEY_BOOLEAN) return compare_numbers(&(sort_key){.kind = KEY_INTEGER, .value = a->value},
                                                     &(sort_key){.kind = KEY_INTEGER, .value = b->value});
  return compare_texts(a, b);
}

// MARK: - Collecting

static int refuse_key(lua_State *L, int index) {
  const char *kind = luaL_typename(L, index);
  lua_pushfstring(L, "a table with a %s as a key can't be traversed", kind);
  return shim_raise(L, lua_tostring(L, -1), "numbers, strings and booleans as keys", NULL,
                    "Such keys have no order that is the same in every run; keep them in an array beside the table.");
}

/// Describes the key at `index` (absolute). An object's order text is left on the stack, so that it stays alive.
static sort_key describe(lua_State *L, int index, int slot) {
  sort_key key = {.slot = slot};
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) {
        key.kind = KEY_INTEGER;
        key.value.integer = lua_tointeger(L, index);
      } else {
        key.kind = KEY_NUMBER;
        key.value.number = lua_tonumber(L, index);
      }
      break;
    case LUA_TSTRING:
      key.kind = KEY_STRING;
      key.value.text = lua_tolstring(L, index, &key.length);
      break;
    case LUA_TBOOLEAN:
      key.kind = KEY_BOOLEAN;
      key.value.integer = lua_toboolean(L, index);
      break;
    default: {
      shim_vm *vm = shim_vm_of(L);
      const shim_object *block = shim_to_object(L, index);
      if (!block || !block->object) refuse_key(L, index);
      SHIM_IN_SWIFT(vm, vm->host.order(L, block->object));
      if (lua_type(L, -1) != LUA_TSTRING) refuse_key(L, index);
      key.kind = KEY_OBJECT;
      key.value.text = lua_tolstring(L, -1, &key.length);
    }
  }
  return key;
}

static int count_keys(lua_State *L, int table) {
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    count++;
  }
  return count;
}

enum { FEW_KEYS = 16 };

/// The keys of a table while they are sorted.
typedef struct {
  sort_key few[FEW_KEYS], *keys;
  int count;
  bool sorted;
  /// The stack position of the table of order texts, or of nil.
  int texts;
} key_list;

static void append(key_list *list, sort_key key) {
  if (list->count > 0 && list->sorted) list->sorted = compare(&list->keys[list->count - 1], &key) < 0;
  list->keys[list->count++] = key;
}

/// Keeps the order text on top alive.
static void keep_text(lua_State *L, const key_list *list) {
  if (lua_isnil(L, list->texts)) {
    lua_createtable(L, 0, 0);
    lua_replace(L, list->texts);
  }
  lua_rawseti(L, list->texts, list->count + 1);
}

/// Puts the array at `array` into the order of the list.
static void reorder(lua_State *L, int array, key_list *list) {
  qsort(list->keys, (size_t)list->count, sizeof *list->keys, compare);
  bool few = list->count <= FEW_KEYS;
  if (few) luaL_checkstack(L, FEW_KEYS + 2, "too many keys");
  else lua_createtable(L, list->count, 0);
  for (int i = 0; i < list->count; i++) {
    lua_rawgeti(L, array, list->keys[i].slot);
    if (!few) lua_rawseti(L, -2, i + 1);
  }
  for (int i = list->count; few && i > 0; i--) lua_rawseti(L, array, i);
  if (!few) lua_replace(L, array);
}

/// Pushes an array with the keys of the table at `table` in order.
static void push_keys(lua_State *L, int table) {
  luaL_checkstack(L, 10, "too many values");
  int count = count_keys(L, table);
  lua_createtable(L, count, 0);
  int array = lua_gettop(L);
  key_list list = {.sorted = true, .texts = array + 2};
  list.keys = list.few;
  if (count > FEW_KEYS) list.keys = lua_newuserdatauv(L, (size_t)count * sizeof *list.keys, 0);
  else lua_pushnil(L);
  lua_pushnil(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    int key = lua_gettop(L);
    sort_key described = describe(L, key, list.count + 1);
    if (lua_gettop(L) > key) keep_text(L, &list);
    append(&list, described);
    lua_pushvalue(L, key);
    lua_rawseti(L, array, list.count);
  }
  if (!list.sorted) reorder(L, array, &list);
  lua_settop(L, array);
}

// MARK: - pairs

static int step(lua_State *L) {
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));
  for (;;) {
    at++;
    if (lua_rawgeti(L, lua_upvalueindex(2), at) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) break;
    lua_pop(L, 2);
  }
  lua_pushinteger(L, at);
  lua_replace(L, lua_upvalueindex(3));
  return 2;
}

static int after_metamethod(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 3;
}

static int pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, after_metamethod);
    return 3;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (shim_push_behind(L, 1)) lua_replace(L, 1);
  lua_pushvalue(L, 1);
  push_keys(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, step, 3);
  lua_insert(L, 1);
  lua_pushnil(L);
  return 3;
}

// MARK: - next

/// The first key: a scan, because `next(t) == nil` is how a script asks whether a table is empty.
static int first(lua_State *L) {
  sort_key best = {.slot = 0}, key;
  lua_settop(L, 1);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushnil(L);
  // table, best key, text of the best key, key of the scan
  while (lua_next(L, 1)) {
    lua_pop(L, 1);
    key = describe(L, 4, 1);
    if (best.slot == 0 || compare(&key, &best) < 0) {
      best = key;
      lua_pushvalue(L, 4);
      lua_replace(L, 2);
      if (lua_gettop(L) > 4) {
        lua_pushvalue(L, 5);
        lua_replace(L, 3);
      }
    }
    lua_settop(L, 4);
  }
  lua_settop(L, 2);
  if (best.slot == 0) return 1;
  lua_pushvalue(L, 2);
  lua_rawget(L, 1);
  return 2;
}

/// Pushes the array of keys of the table at 1, from the last traversal when it was of this table.
static void push_snapshot(lua_State *L, bool fresh) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_snapshot);
  if (!fresh && lua_istable(L, -1)) {
    lua_rawgeti(L, -1, 1);
    bool same = lua_rawequal(L, -1, 1);
    lua_pop(L, 1);
    lua_rawgeti(L, -1, 2);
    lua_remove(L, -2);
    if (same) return;
  }
  lua_pop(L, 1);
  push_keys(L, 1);
  lua_createtable(L, 3, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &shim_key_snapshot);
}

/// The position of the first key after the key at 2 in the array on top, by bisection. Sets `known` to whether the
/// array has that key: a script may have removed it from the table.
static lua_Integer position_after(lua_State *L, bool *known) {
  int array = lua_gettop(L);
  sort_key wanted = describe(L, 2, 0);
  lua_Integer low = 1, high = (lua_Integer)lua_rawlen(L, array);
  int top = lua_gettop(L);
  while (low <= high) {
    lua_Integer middle = low + (high - low) / 2;
    lua_rawgeti(L, array, middle);
    sort_key key = describe(L, lua_gettop(L), 0);
    int order = compare(&key, &wanted);
    lua_settop(L, top);
    if (order == 0) *known = true;
    if (order <= 0) low = middle + 1; else high = middle - 1;
  }
  lua_settop(L, array);
  return low;
}

static int next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (shim_push_behind(L, 1)) lua_replace(L, 1);
  if (lua_isnil(L, 2)) return first(L);
  push_snapshot(L, false);
  bool known = false;
  lua_Integer at = position_after(L, &known);
  if (!known) {
    lua_settop(L, 2);
    push_snapshot(L, true);
    at = position_after(L, &known);
  }
  for (;; at++) {
    if (lua_rawgeti(L, 3, at) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 1) != LUA_TNIL) return 2;
    lua_settop(L, 3);
  }
}

void shim_open_order(lua_State *L) {
  static const luaL_Reg functions[] = {{"pairs", pairs}, {"next", next}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
