#pragma once

#include <lua.hpp>

#include <memory>
#include <string>

namespace godwit::host {

/// Memory that JSON functions work in: kept outside of them, because a Lua error leaves a function without running
/// destructors.
struct JsonScratch {
  std::string text;
  std::shared_ptr<void> document;
};

/// Adds to the table on top of the stack:
///   json_encode(value, null, array_mark) → text | nil, reason
///   json_decode(text, null) → value | nil, reason
/// Tables whose keys are 1 to n are arrays, the others objects; `null` stands for null, a table that has `array_mark`
/// as its metatable is an array even when it is empty. At most 100 levels deep; an object's keys come in their order,
/// so that equal values give equal text. `scratch` must outlive the VM.
void add_json_functions(lua_State* state, JsonScratch& scratch);

}  // namespace godwit::host
