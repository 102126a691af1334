// The globals of a script: what is allowed, what is replaced, what is read-only.
#include "internal.h"

#include <string.h>

// MARK: - Text without addresses

const char *shim_push_text(lua_State *L, int index) {
  index = lua_absindex(L, index);
  int field = luaL_getmetafield(L, index, "__tostring");
  if (field != LUA_TNIL) {
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
    return lua_tostring(L, -1);
  }
  switch (lua_type(L, index)) {
    case LUA_TTABLE:
    case LUA_TUSERDATA:
      if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) return lua_tostring(L, -1);
      return lua_pushstring(L, luaL_typename(L, index));
    case LUA_TFUNCTION: return lua_pushliteral(L, "function");
    case LUA_TTHREAD: return lua_pushliteral(L, "coroutine");
    case LUA_TLIGHTUSERDATA: return lua_pushliteral(L, "userdata");
    case LUA_TNUMBER:
      // The C library prints the sign of a NaN, which means nothing.
      if (lua_tonumber(L, index) != lua_tonumber(L, index)) return lua_pushliteral(L, "nan");
      return luaL_tolstring(L, index, NULL);
    default: return luaL_tolstring(L, index, NULL);
  }
}

static int to_string(lua_State *L) {
  luaL_checkany(L, 1);
  shim_push_text(L, 1);
  return 1;
}

static int print(lua_State *L) {
  shim_vm *vm = shim_vm_of(L);
  int count = lua_gettop(L);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addchar(&buffer, '\t');
    shim_push_text(L, i);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  vm->calls++;
  SHIM_IN_SWIFT(vm, vm->host.print(vm->host_object, text, length));
  return 0;
}

// MARK: - Metatables

static int set_metatable(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TTABLE);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  if (lua_istable(L, 2)) {
    static const char *const refused[] = {"__gc", "__mode"};
    for (int i = 0; i < 2; i++) {
      lua_pushstring(L, refused[i]);
      if (lua_rawget(L, 2) != LUA_TNIL) {
        lua_pushfstring(L, "a metatable of a recipe can't have %s", refused[i]);
        return shim_raise(L, lua_tostring(L, -1), NULL, NULL, i ? NULL : "Use __close and a 'local x <close>' variable.");
      }
      lua_pop(L, 1);
    }
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

static int get_metatable(lua_State *L) {
  luaL_checkany(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING)
    return shim_raise(L, "the metatable of strings is not for recipes", NULL, NULL, NULL);
  if (!lua_getmetatable(L, 1)) return 0;
  luaL_getmetafield(L, 1, "__metatable");
  return 1;
}

static int raw_set(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (shim_push_behind(L, 1)) return shim_raise(L, "rawset on a read-only table", NULL, NULL, NULL);
  lua_rawset(L, 1);
  return 1;
}

/// rawget and rawlen see what stands behind a read-only table.
static int raw_get(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  if (shim_push_behind(L, 1)) lua_replace(L, 1);
  lua_rawget(L, 1);
  return 1;
}

static int raw_length(lua_State *L) {
  luaL_argexpected(L, lua_istable(L, 1) || lua_type(L, 1) == LUA_TSTRING, 1, "table or string");
  lua_settop(L, 1);
  if (lua_istable(L, 1) && shim_push_behind(L, 1)) lua_replace(L, 1);
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
  return 1;
}

static int collect_garbage(lua_State *L) {
  static const char *const options[] = {"collect", "count", NULL};
  if (luaL_checkoption(L, 1, "collect", options) == 0) {
    shim_vm_of(L)->external_debt = shim_vm_of(L)->external_stepped = 0;
    lua_gc(L, LUA_GCCOLLECT);
    lua_pushinteger(L, 0);
  } else {
    lua_pushnumber(L, lua_gc(L, LUA_GCCOUNT) + lua_gc(L, LUA_GCCOUNTB) / 1024.0);
  }
  return 1;
}

// MARK: - Random numbers

static uint64_t random_bits(shim_vm *vm) {
  uint64_t bits;
  SHIM_IN_SWIFT(vm, bits = vm->host.random(vm->host_object));
  return bits;
}

static int math_random(lua_State *L) {
  shim_vm *vm = shim_vm_of(L);
  lua_Integer low = 1, high;
  switch (lua_gettop(L)) {
    case 0: lua_pushnumber(L, (lua_Number)(random_bits(vm) >> 11) * 0x1p-53); return 1;
    case 1:
      high = luaL_checkinteger(L, 1);
      if (high == 0) {
        lua_pushinteger(L, (lua_Integer)random_bits(vm));
        return 1;
      }
      break;
    case 2:
      low = luaL_checkinteger(L, 1);
      high = luaL_checkinteger(L, 2);
      break;
    default: return luaL_error(L, "wrong number of arguments to 'random'");
  }
  luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
  uint64_t range = (uint64_t)high - (uint64_t)low + 1, bits = random_bits(vm);
  if (range != 0) {
    // Draws below 2^64 mod range would favour the small numbers.
    for (uint64_t floor = -range % range; bits < floor;) bits = random_bits(vm);
    bits %= range;
  }
  lua_pushinteger(L, (lua_Integer)(bits + (uint64_t)low));
  return 1;
}

// MARK: - Read-only views

static int refuse_write(lua_State *L) {
  const char *name = lua_tostring(L, lua_upvalueindex(1));
  lua_pushvalue(L, 2);
  const char *key = shim_push_text(L, -1);
  lua_pushfstring(L, "the table '%s' is read-only: can't set '%s'", name, key);
  return shim_raise(L, lua_tostring(L, -1), NULL, NULL, NULL);
}

static int length_behind(lua_State *L) {
  lua_pushinteger(L, shim_push_behind(L, 1) ? (lua_Integer)lua_rawlen(L, -1) : 0);
  return 1;
}

void shim_make_read_only(lua_State *L, const char *name) {
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 6);
  lua_pushcfunction(L, length_behind);
  lua_setfield(L, -2, "__len");
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, name);
  lua_pushcclosure(L, refuse_write, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_setmetatable(L, -2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_behind);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -4);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_remove(L, -2);
}

void shim_freeze(lua_State *L) {
  int table = lua_gettop(L);
  lua_createtable(L, 0, 0);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, table + 1);
  }
  lua_pushnil(L);
  while (lua_next(L, table + 1)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, table);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_behind);
  lua_pushvalue(L, table);
  lua_pushvalue(L, table + 1);
  lua_rawset(L, -3);
  lua_settop(L, table);
}

bool shim_push_behind(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_behind);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) == LUA_TTABLE) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

// MARK: - Globals

static const char *why_missing(const char *name) {
  static const char *const reasons[][2] = {
      {"nas", "Begin the recipe with: local nas = require \"nas\"."},
      {"nn", "Write 'local nn = nas.nn' below 'local nas = require \"nas\"'."},
      {"io", "Recipes read data through the API; 'nasrun --trust' opens io and os."},
      {"os", "Recipes can't reach the system; 'nasrun --trust' opens io and os."},
      {"debug", "The debug library is closed to recipes."},
      {"package", "Modules are found in the recipe's folder and in the library."},
      {"load", "Recipes can't compile text; write a function, or a module and 'require' it."},
      {"loadstring", "Recipes can't compile text; write a function, or a module and 'require' it."},
      {"loadfile", "Write a module beside the recipe and 'require' it."},
      {"dofile", "Write a module beside the recipe and 'require' it."},
      {"unpack", "Lua 5.4 has 'table.unpack'."},
  };
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (strcmp(name, reasons[i][0]) == 0) return reasons[i][1];
  return NULL;
}

static int read_undeclared(lua_State *L) {
  const char *name = shim_push_text(L, 2);
  lua_pushfstring(L, "undeclared global '%s'", name);
  const char *message = lua_tostring(L, -1), *reason = why_missing(name);
  if (!reason) reason = lua_pushfstring(L, "Check the spelling, or write 'local %s = …' before this line.", name);
  return shim_raise(L, message, NULL, NULL, reason);
}

static int write_undeclared(lua_State *L) {
  const char *name = shim_push_text(L, 2);
  lua_pushfstring(L, "assignment to the undeclared global '%s'", name);
  const char *message = lua_tostring(L, -1);
  const char *form = lua_isfunction(L, 3) ? "Write 'local function %s(…)'." : "Write 'local %s = …'.";
  return shim_raise(L, message, NULL, NULL, lua_pushfstring(L, form, name));
}

/// globals (at the top) -> what a chunk sees: a view that refuses new names.
static void push_environment(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, read_undeclared);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  shim_make_read_only(L, "_G");
  lua_getmetatable(L, -1);
  lua_pushcfunction(L, write_undeclared);
  lua_setfield(L, -2, "__newindex");
  lua_pop(L, 1);
}

void shim_push_environment(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_environment); }
void shim_push_globals(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_globals); }

// MARK: - Opening

static void copy_fields(lua_State *L, int from, const char *const *names) {
  from = lua_absindex(L, from);
  for (; *names; names++) {
    lua_getfield(L, from, *names);
    lua_setfield(L, -2, *names);
  }
}

static void open_library(lua_State *L, const char *name, lua_CFunction open, const char *const *names) {
  luaL_requiref(L, name, open, 0);
  lua_createtable(L, 0, 16);
  copy_fields(L, -2, names);
  lua_remove(L, -2);
  lua_setfield(L, -2, name);
}

static void open_libraries(lua_State *L) {
  static const char *const base[] = {"assert", "error", "ipairs", "rawequal", "rawget", "rawlen", "select",
                                     "tonumber", "type", "_VERSION", NULL};
  static const char *const coroutines[] = {"isyieldable", "running", "status", "yield", NULL};
  static const char *const strings[] = {"byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match",
                                        "pack", "packsize", "rep", "reverse", "sub", "unpack", "upper", NULL};
  static const char *const maths[] = {"abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod",
                                      "huge", "log", "max", "maxinteger", "min", "mininteger", "modf", "pi", "rad",
                                      "sin", "sqrt", "tan", "tointeger", "type", "ult", NULL};
  static const char *const tables[] = {"concat", "insert", "move", "pack", "remove", "sort", "unpack", NULL};
  static const char *const texts[] = {"char", "charpattern", "codepoint", "codes", "len", "offset", NULL};
  luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
  lua_createtable(L, 0, 40);
  copy_fields(L, -2, base);
  lua_remove(L, -2);
  open_library(L, LUA_COLIBNAME, luaopen_coroutine, coroutines);
  open_library(L, LUA_STRLIBNAME, luaopen_string, strings);
  open_library(L, LUA_MATHLIBNAME, luaopen_math, maths);
  open_library(L, LUA_TABLIBNAME, luaopen_table, tables);
  open_library(L, LUA_UTF8LIBNAME, luaopen_utf8, texts);
}

static void open_system(lua_State *L) {
  luaL_requiref(L, LUA_IOLIBNAME, luaopen_io, 0);
  lua_setfield(L, -2, LUA_IOLIBNAME);
  luaL_requiref(L, LUA_OSLIBNAME, luaopen_os, 0);
  lua_setfield(L, -2, LUA_OSLIBNAME);
}

static void replace_functions(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"print", print}, {"tostring", to_string}, {"setmetatable", set_metatable}, {"getmetatable", get_metatable},
      {"rawget", raw_get}, {"rawlen", raw_length}, {"rawset", raw_set}, {"collectgarbage", collect_garbage}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  lua_getfield(L, -1, LUA_MATHLIBNAME);
  lua_pushcfunction(L, math_random);
  lua_setfield(L, -2, "random");
  lua_pop(L, 1);
  shim_open_control(L);
  shim_open_order(L);
  shim_open_tables(L);
  shim_open_strings(L);
}

/// Strings find their methods in the table behind the view, at the speed of stock Lua.
static void share_string_methods(lua_State *L) {
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_getfield(L, -3, LUA_STRLIBNAME);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 2);
}

static void open_registry(lua_State *L) {
  static const char *const weak[] = {"v", "k"};
  const void *const keys[] = {&shim_key_interned, &shim_key_behind};
  for (int i = 0; i < 2; i++) {
    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, weak[i]);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, keys[i]);
  }
}

int shim_open_sandbox(lua_State *L) {
  static const char *const libraries[] = {"coroutine", "string", "math", "table", "utf8"};
  open_registry(L);
  open_libraries(L);
  if (shim_vm_of(L)->trusted) open_system(L);
  replace_functions(L);
  share_string_methods(L);
  for (int i = 0; i < 5; i++) {
    lua_getfield(L, -1, libraries[i]);
    shim_make_read_only(L, libraries[i]);
    lua_setfield(L, -2, libraries[i]);
  }
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &shim_key_globals);
  lua_pushvalue(L, -1);
  push_environment(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "_G");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &shim_key_environment);
  return 0;
}
