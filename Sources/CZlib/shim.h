// zlib: CRC-32 of the checkpoint sidecar files.
#pragma once
#include <zlib.h>
