// libsnappy: the codec of files that Spark writes.
#pragma once
#include <stddef.h>
#include <snappy-c.h>
