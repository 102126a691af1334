// The table library, where a stock function could loop in C for hours: the range of each call is bounded.
#include "internal.h"

enum { MOST_ELEMENTS = 50000000 };

/// Refuses a call whose range has more than MOST_ELEMENTS elements.
static void check_range(lua_State *L, const char *function, lua_Integer from, lua_Integer to) {
  if (to < from || (uint64_t)to - (uint64_t)from < MOST_ELEMENTS) return;
  lua_pushfstring(L, "the range of '%s' is too long", function);
  const char *message = lua_tostring(L, -1);
  const char *got = lua_pushfstring(L, "%I to %I", (LUAI_UACINT)from, (LUAI_UACINT)to);
  shim_raise(L, message, "at most 50000000 elements", got, NULL);
}

/// The length that a stock function would see, which __len can make any number.
static void check_length(lua_State *L, const char *function) {
  if (lua_type(L, 1) == LUA_TTABLE && luaL_getmetafield(L, 1, "__len") != LUA_TNIL) {
    lua_pop(L, 1);
    check_range(L, function, 1, luaL_len(L, 1));
  }
}

/// Calls the stock function, upvalue 1, with the arguments of this call.
static int call_stock(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int move(lua_State *L) {
  check_range(L, "table.move", luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
  return call_stock(L);
}

static int concat(lua_State *L) {
  check_length(L, "table.concat");
  if (!lua_isnoneornil(L, 4)) check_range(L, "table.concat", luaL_optinteger(L, 3, 1), luaL_checkinteger(L, 4));
  return call_stock(L);
}

static int insert(lua_State *L) {
  check_length(L, "table.insert");
  return call_stock(L);
}

static int take(lua_State *L) {
  check_length(L, "table.remove");
  return call_stock(L);
}

static int sort(lua_State *L) {
  check_length(L, "table.sort");
  return call_stock(L);
}

void shim_open_tables(lua_State *L) {
  static const luaL_Reg functions[] = {{"move", move},   {"concat", concat}, {"insert", insert},
                                       {"remove", take}, {"sort", sort},     {NULL, NULL}};
  lua_getfield(L, -1, LUA_TABLIBNAME);
  for (const luaL_Reg *entry = functions; entry->name; entry++) {
    lua_getfield(L, -1, entry->name);
    lua_pushcclosure(L, entry->func, 1);
    lua_setfield(L, -2, entry->name);
  }
  lua_pop(L, 1);
}
