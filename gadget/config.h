/*
 * The configuration file of ccid-gadget.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config_file.h"
#include "base/log.h"
#include "control/socket.h"
#include "gadget/usb/usb.h"
#include "relay/key.h"
#include "relay/wire.h"

#define CONFIG_READERS_MAX 32 /* dummy_hcd makes that many controllers at most */
#define CONFIG_MIRROR "*"     /* the pattern of the section that stands for all readers */
#define CONFIG_ENDPOINT_MAX 128 /* bytes, terminating zero included */
#define CONFIG_USER_MAX 64      /* bytes, terminating zero included */
#define CONFIG_PATH_MAX 1024    /* bytes, terminating zero included */
#define CONFIG_CONTROL "/run/ccid-gadget/control.sock" /* unless the file says otherwise */

/* reader "pattern" { ... } */
struct config_reader {
	char pattern[WIRE_NAME_MAX];
	bool mirror;      /* the pattern is "*": each reader that no other section takes */
	uint16_t vendor;  /* USB idVendor */
	uint16_t product; /* USB idProduct */
	char serial[USB_STRING_MAX + 1]; /* empty: made from the names */
	char udc[64];     /* empty: any dummy UDC that is free */
	uint32_t reserved_udcs; /* which sections name, for themselves: bit n is dummy_udc.n */
	bool interrupt;   /* with an interrupt endpoint */
};

struct config {
	char bridge[CONFIG_ENDPOINT_MAX]; /* endpoint */
	char name[WIRE_NAME_MAX];         /* what the bridge knows this guest by, without keys */
	bool keyed;                       /* the connection is encrypted; else the next three are empty */
	struct public_key bridge_key;
	char key_file[CONFIG_PATH_MAX];
	struct key_pair own;              /* for who reads key_file, until it has been passed on */
	enum log_level log_level;
	uid_t user;                       /* that the daemon runs as */
	gid_t group;
	char user_name[CONFIG_USER_MAX];
	char control[CONTROL_PATH_MAX + 1]; /* path of the control socket; empty: none */
	struct config_reader readers[CONFIG_READERS_MAX];
	size_t readers_count;
};

/*
 * Reads file into config. Returns 0 or CONFIG_INVALID; then problem, of CONFIG_PROBLEM_MAX bytes, says
 * what is wrong and where. Fatal: -ENOMEM.
 */
int config_read(const char *file, struct config *config, char *problem);
