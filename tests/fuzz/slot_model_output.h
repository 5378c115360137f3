/*
 * What comes out of the slot beside what its model knows; private to slot_model*.c.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "slot_model.h"

/* Outputs of one event: calls, a message that is taken back, a message, a notification. */
#define MODEL_OUTPUTS_MAX 8

/* Takes all there is, and checks it. */
void model_take_outputs(struct model *model);

/* Nothing of the running command was missed: it runs. */
bool model_is_certain(const struct model_command *running);

/* Time extensions belong to the command. */
bool model_may_take_long(uint8_t bMessageType);
