// libzstd: the default codec of the data files.
#pragma once
#include <zstd.h>
#include <zstd_errors.h>
