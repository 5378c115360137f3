/*
 * A daemon's answer as a program gets it: by the command, with --json, over a real control socket,
 * the one of folder.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <jansson.h>
#include <uv.h>

#include "control/request.h"

/* Asks while loop serves folder_socket. The document that was printed, a new object. */
json_t *asked(uv_loop_t *loop, enum control_verb verb);

/*
 * The document, which is given back, must be this one: the same members, of the same types and values, no
 * more and no less. expected has ' for ". What no test can know is looked at, and then replaced by what
 * stands here for it:
 *
 *     "time"               "T", after it was ISO 8601
 *     "pid", "since"       the same of a head of a status: 1 and "T"
 *     "errors"             of each reader: their sum, after each kind there is was there once
 */
void asked_is(json_t *document, const char *expected);
