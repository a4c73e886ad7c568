#include "CArgp.h"

void cargp_error(const struct argp_state *state, const char *text) {
  argp_error(state, "%s", text);
}
