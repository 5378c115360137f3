/*
 * The text of a configuration file, made ready for libconfuse.
 *
 * libconfuse 3.3 counts three lines for each one that holds a comment, so that its "file:line" is
 * wrong in every commented file; it takes a file that ends within a section for a whole one; and it
 * ends the process when the "file" is a folder. So we read the file ourselves, put blanks in place
 * of comments, and look for quotes and braces that nobody closed.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>

#define CONFIG_TEXT_MAX (1024 * 1024) /* bytes; a larger file is surely not a configuration */

enum {
	CONFIG_TEXT_UNREADABLE = 1, /* errno says why; EFBIG: too large; EINVAL: no text file */
	CONFIG_TEXT_OPEN_QUOTE = 2, /* *line is where the quote starts */
	CONFIG_TEXT_OPEN_BRACE = 3, /* *line is where the innermost open brace is */
};

/*
 * Reads file into *text, which the caller frees. Returns 0, CONFIG_TEXT_UNREADABLE,
 * CONFIG_TEXT_OPEN_QUOTE or CONFIG_TEXT_OPEN_BRACE; *text is NULL unless 0. Fatal: -ENOMEM.
 */
int config_text_read(const char *file, char **text, int *line);

/* The part without a file: blanks the comments of text in place. Returns as above. */
int config_text_prepare(char *text, int *line);
