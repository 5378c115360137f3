/*
 * Private keys in files, one to a file, and the commands that make them. A key is nowhere else: not
 * on a command line, where everybody sees it, and not in a configuration, which more may read.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

#include "relay/key.h"

#define KEY_FILE_WHY_MAX 512 /* bytes of a sentence that says what is wrong, its zero included */

/* The user of the bridge's service, which has the key then: root's commands read it all the same. */
#define KEY_FILE_SERVICE "ccid-bridge"

enum {
	KEY_FILE_REFUSED = 1, /* why says what is wrong, and with which file */
};

/*
 * Reads a private key. The file must be a regular one of this user or of root, or for root also
 * of KEY_FILE_SERVICE, with no rights for anybody else (0600 or 0400), and hold the text of one key;
 * all is checked on the open file.
 * Returns 0 or KEY_FILE_REFUSED; then why is set and the key is zeros.
 */
int key_file_read(const char *path, struct private_key *key, char why[KEY_FILE_WHY_MAX]);

/*
 * Writes a private key to a file that isn't there yet, with mode 0600; it appears whole or not at
 * all. Returns 0 or KEY_FILE_REFUSED; then why is set and nothing is left behind.
 */
int key_file_make(const char *path, const struct private_key *key, char why[KEY_FILE_WHY_MAX]);

/* What the daemons' subcommands are called. */
#define KEY_COMMAND_MAKE "genkey"
#define KEY_COMMAND_SHOW "pubkey"

/*
 * genkey makes a key in file, pubkey reads it; both print its public key on stdout. What goes wrong
 * is said on stderr. Returns the exit status, of sysexits(3).
 */
int key_command(const char *program, const char *command, const char *file);
