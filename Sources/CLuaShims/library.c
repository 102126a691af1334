// The scripts of Scripts/nas, part of the executable. A test compares this list with the files.
#include "CLuaShims.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char nas_init[] = {
#embed "../../Scripts/nas/init.lua"
};

#define SCRIPT(path, text) {path, text, text + sizeof text}

static const shim_module modules[] = {
    SCRIPT("nas/init.lua", nas_init),
};

const shim_module *shim_modules(void) { return modules; }
int shim_module_count(void) { return sizeof modules / sizeof *modules; }
