// glibc's argp, and the parts of it that Swift cannot call.
#pragma once
#include <argp.h>

/// argp_error(3) is variadic; this prints `text` as it is, with the program's name and a pointer
/// to --help, to standard error. Returns, because the parser runs with ARGP_NO_EXIT.
void cargp_error(const struct argp_state *_Nonnull state, const char *_Nonnull text);
