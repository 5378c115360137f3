/*
 * The folder by which a test steers the PIN pad: script, features and log. README.md describes its
 * files.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLDER_PATH_MAX 256
#define FOLDER_ANSWER_MAX 512

struct folder {
	char path[FOLDER_PATH_MAX];
};

/* What the script says to one PIN entry or escape. */
struct folder_answer {
	long result; /* of IFDHControl; IFD_SUCCESS if there is an answer */
	uint8_t bytes[FOLDER_ANSWER_MAX];
	size_t size;
};

void folder_open(struct folder *folder, const char *path);

/* Takes the script's next line and does what it says, which may take a while. */
void folder_answer(const struct folder *folder, struct folder_answer *answer);

/* Whether the reader has the feature of this name. */
bool folder_has_feature(const struct folder *folder, const char *word);

uint16_t folder_lcd_layout(const struct folder *folder);

/* Appends a line to the log. */
void folder_log(const struct folder *folder, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
