/*
 * The bridge's configuration: where it listens, which guests it knows, what each of them may see.
 *
 * Every fault is an error that names file and line; there are no warnings and no ignored lines.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/config_file.h"
#include "base/log.h"
#include "host-bridge/hold.h"
#include "relay/key.h"

struct bridge_guest_config {
	char *name;      /* 1 to WIRE_NAME_MAX - 1 bytes */
	char **patterns; /* see relay/pattern.h; at least one */
	size_t pattern_count;
	struct share share;
	bool pin_pad;    /* it may have PINs entered at a reader's PIN pad */
	bool escape;     /* it may send escape commands to a reader */
	unsigned int pin_guard; /* tries of each PIN that it can't use; 0: no guard */
	bool pin_guard_ask;     /* cards may be asked for what is left */
	bool keyed;      /* known by its key; else auth = none */
	struct public_key key;
};

struct bridge_config {
	char **endpoints; /* each passed endpoint_check(); one to BRIDGE_ENDPOINTS_MAX */
	size_t endpoint_count;
	struct bridge_guest_config *guests; /* at least one, names are unique */
	size_t guest_count;
	uid_t front_user;   /* that the front runs as, if we are root */
	gid_t front_group;
	enum log_level log_level;
	char *key_file;     /* of the bridge's private key */
	bool keyed;         /* at least one guest is */
	bool guarded;       /* at least one guest has a pin_guard */
	char *control;      /* path of the control socket; empty: none */
};

#define BRIDGE_ENDPOINTS_MAX 32
#define BRIDGE_CONTROL "/run/ccid-bridge/control.sock" /* unless the file says otherwise */

#define BRIDGE_CONFIG_NULL ((struct bridge_config){ .endpoints = NULL })

/*
 * Reads file into config, which must be BRIDGE_CONFIG_NULL. Returns 0 or CONFIG_INVALID; then
 * problem, of CONFIG_PROBLEM_MAX bytes, is set and config is empty. Fatal: -ENOMEM. Not to be
 * called from two threads at a time: libconfuse's callbacks have no argument of ours.
 */
int bridge_config_read(struct bridge_config *config, const char *file, char *problem);

/* Frees what config holds; may be called twice. */
void bridge_config_deinit(struct bridge_config *config);
