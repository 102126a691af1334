// Userdata that stand for Swift objects.
#include "internal.h"

static void forget_bytes(shim_vm *vm, shim_object *block) {
  vm->external -= block->bytes;
  block->bytes = 0;
}

static int object_gc(lua_State *L) {
  shim_object *block = shim_to_object(L, 1);
  if (!block || !block->object) return 0;
  void *object = block->object;
  block->object = NULL;
  forget_bytes(block->vm, block);
  SHIM_IN_SWIFT(block->vm, block->vm->host.release(object));
  return 0;
}

static int object_close(lua_State *L) {
  shim_object *block = shim_to_object(L, 1);
  if (!block || !block->object) return 0;
  SHIM_IN_SWIFT(block->vm, block->vm->host.close(block->object));
  return object_gc(L);
}

shim_object *shim_to_object(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) != sizeof(shim_object)) return NULL;
  shim_object *block = lua_touserdata(L, index);
  return block->vm == shim_vm_of(L) ? block : NULL;
}

bool shim_push_object(lua_State *L, void *object, const void *type, size_t bytes, bool interned) {
  shim_vm *vm = shim_vm_of(L);
  if (interned) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &shim_key_interned);
    lua_rawgetp(L, -1, object);
    const shim_object *known = shim_to_object(L, -1);
    if (known && known->object == object) {
      lua_remove(L, -2);
      vm->host.release(object);
      return true;
    }
    lua_pop(L, 1);
  }
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, type) != LUA_TTABLE) {
    lua_pop(L, interned ? 2 : 1);
    vm->host.release(object);
    return false;
  }
  shim_object *block = lua_newuserdatauv(L, sizeof *block, 0);
  *block = (shim_object){vm, object, type, ++vm->serial, 0};
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  shim_count_bytes(L, block, bytes);
  if (!interned) return true;
  lua_pushvalue(L, -1);
  lua_rawsetp(L, -3, object);
  lua_remove(L, -2);
  return true;
}

void shim_count_bytes(lua_State *L, shim_object *block, size_t bytes) {
  shim_vm *vm = shim_vm_of(L);
  if (bytes > block->bytes) vm->external_debt += bytes - block->bytes;
  vm->external += bytes - block->bytes;
  block->bytes = bytes;
  if (vm->used + vm->external > vm->limit) vm->over = 1;
}

void shim_seal_metatable(lua_State *L) {
  lua_pushcfunction(L, object_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, object_close);
  lua_setfield(L, -2, "__close");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

static int index_methods(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

void shim_push_index(lua_State *L) { lua_pushcclosure(L, index_methods, 2); }
