/*
 * Tables. See table.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/table.h"

#include <stdlib.h>
#include <string.h>

#include "control/text.h"

struct control_table *control_table_new(const char *const *headings)
{
	struct control_table *table = calloc(1, sizeof *table);

	if (table == NULL)
		return NULL;
	while (table->columns < CONTROL_TABLE_COLUMNS && headings[table->columns] != NULL)
		table->columns++;
	control_table_add(table, headings);
	return table;
}

void control_table_add(struct control_table *table, const char *const *cells)
{
	if (table == NULL || table->rows == CONTROL_TABLE_ROWS)
		return;
	for (size_t i = 0; i < table->columns; i++) {
		table->cells[table->rows][i] = strdup(cells[i]);
		if (table->cells[table->rows][i] != NULL)
			control_text_disarm(table->cells[table->rows][i]);
	}
	table->rows++;
}

static const char *cell(const struct control_table *table, size_t row, size_t column)
{
	return table->cells[row][column] != NULL ? table->cells[row][column] : "";
}

static int compare_rows(const void *left, const void *right)
{
	char *const *a = left, *const *b = right;
	int r = 0;

	for (size_t i = 0; i < 2 && r == 0 && a[i] != NULL && b[i] != NULL; i++)
		r = strcmp(a[i], b[i]);
	return r;
}

void control_table_sort(struct control_table *table)
{
	if (table != NULL && table->rows > 2)
		qsort(&table->cells[1], table->rows - 1, sizeof table->cells[0], compare_rows);
}

static size_t column_width(const struct control_table *table, size_t column)
{
	size_t widest = 0;

	for (size_t i = 0; i < table->rows; i++) {
		size_t width = control_text_width(cell(table, i, column));

		widest = width > widest ? width : widest;
	}
	return widest;
}

void control_table_print(const struct control_table *table, const char *indent, FILE *out)
{
	size_t widths[CONTROL_TABLE_COLUMNS];

	if (table == NULL)
		return;
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (size_t row = 0; row < table->rows; row++) {
		(void)fputs(indent, out);
		for (size_t i = 0; i + 1 < table->columns; i++) {
			const char *text = cell(table, row, i);
			size_t padding = widths[i] - control_text_width(text) + 2;

			(void)fprintf(out, "%s%*s", text, (int)padding, "");
		}
		(void)fprintf(out, "%s\n", cell(table, row, table->columns - 1));
	}
}

struct control_table *control_table_free(struct control_table *table)
{
	for (size_t row = 0; table != NULL && row < table->rows; row++) {
		for (size_t i = 0; i < table->columns; i++)
			free(table->cells[row][i]);
	}
	free(table);
	return NULL;
}
