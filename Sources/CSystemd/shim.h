// libsystemd: service notification and the native journal protocol.
#pragma once
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
