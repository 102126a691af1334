// LuaAPI
