/*
 * Configuration files by libconfuse, as both daemons read them: every fault is an error, and its text is
 * "file:line: what and why". There are no warnings and no ignored lines.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>

/* Longest text of an error, "file:line: what and why". */
#define CONFIG_PROBLEM_MAX 512

enum {
	CONFIG_INVALID = 1, /* problem says what is wrong, and where */
};

/*
 * Reads file by the schema in cfg and, if all of it is right, has copy take the values over into config;
 * copy returns 0, CONFIG_INVALID after cfg_error(), or a fatal error. Returns what it returned, or
 * CONFIG_INVALID; then problem, of CONFIG_PROBLEM_MAX bytes, is set. Fatal: -ENOMEM. cfg is freed in any
 * case. Not to be called from two threads at a time: libconfuse's callbacks have no argument of ours.
 */
int config_file_read(const char *file, cfg_t *cfg, int (*copy)(cfg_t *cfg, void *config), void *config,
	char *problem);

/* The value of an option that was read last: for a validator, which is called after each. */
const char *config_newest(cfg_opt_t *opt);

/* Whether text has 1 to max bytes, none of them a control character. */
bool config_is_name(const char *text, size_t max);

/* A validator for log-level; see log_level_by_name(). */
int config_check_log_level(cfg_t *cfg, cfg_opt_t *opt);

/* A validator for the path of a unix socket: absolute, and short enough; or empty, for none. */
int config_check_socket(cfg_t *cfg, cfg_opt_t *opt);
