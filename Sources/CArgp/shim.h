// glibc argp: the command line of both programs.
#pragma once
#include <argp.h>
