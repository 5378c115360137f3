/*
 * A table of text for a terminal: columns as wide as their widest cell, two blanks between them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdio.h>

#define CONTROL_TABLE_COLUMNS 12
#define CONTROL_TABLE_ROWS 512

struct control_table {
	size_t columns;
	size_t rows; /* the heading is the first */
	char *cells[CONTROL_TABLE_ROWS][CONTROL_TABLE_COLUMNS];
};

/* Makes an empty table with these headings; at most CONTROL_TABLE_COLUMNS, NULL ends them. */
struct control_table *control_table_new(const char *const *headings);

/*
 * Adds a row, a text for each column; they are copied, and disarmed (control_text_disarm()). What is
 * too much for the table, or for memory, is left out.
 */
void control_table_add(struct control_table *table, const char *const *cells);

/* Sorts the rows below the heading: by the first column, then by the second. */
void control_table_sort(struct control_table *table);

/* Prints each line with indent in front of it. */
void control_table_print(const struct control_table *table, const char *indent, FILE *out);

/* Frees; returns NULL. May be called with NULL. */
struct control_table *control_table_free(struct control_table *table);
