// Counts the memory allocations of the calling thread, for tests that promise none.
#pragma once
#include <stddef.h>

/// Calls of malloc, calloc, realloc and the aligned kinds made by this thread so far.
size_t allocation_count(void);
