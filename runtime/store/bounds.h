#pragma once

#include "port/store.h"

namespace godwit::store {

/// Whether keys, values and their number are what Store allows; MessageTooLarge says which is not.
Status check(const StoreBatch& batch);

size_t bytes_of(const StoreBatch& batch);

}  // namespace godwit::store
