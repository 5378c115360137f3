/*
 * Files in a folder. See folder.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/pinpad/folder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define FILE_MAX 8192
#define POLL_US 20000
#define DEFAULT_FEATURES "verify modify properties tlv escape lcd=0210"

static void path_of(const struct folder *folder, const char *name, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/%s", folder->path, name);
}

/* The file's text, cut to what fits; false if there is no such file. */
static bool read_text(const struct folder *folder, const char *name, char *text, size_t size)
{
	char path[FOLDER_PATH_MAX + 16];
	FILE *file;

	path_of(folder, name, path, sizeof(path));
	file = fopen(path, "r");
	text[0] = '\0';
	if (file == NULL)
		return false;
	text[fread(text, 1, size - 1, file)] = '\0';
	(void)fclose(file);
	return true;
}

static void write_text(const struct folder *folder, const char *name, const char *text)
{
	char path[FOLDER_PATH_MAX + 16];
	FILE *file;

	path_of(folder, name, path, sizeof(path));
	file = fopen(path, "w");
	if (file == NULL)
		return;
	(void)fputs(text, file);
	(void)fclose(file);
}

void folder_open(struct folder *folder, const char *path)
{
	(void)snprintf(folder->path, sizeof(folder->path), "%s", path);
}

/* ---- the script ---- */

/* The first line, which is taken out of the file; "answer 9000" if there is none. */
static void take_line(const struct folder *folder, char *line, size_t size)
{
	static char text[FILE_MAX];
	size_t length;

	(void)snprintf(line, size, "answer 9000");
	if (!read_text(folder, "script", text, sizeof(text)) || text[0] == '\0')
		return;
	length = strcspn(text, "\n");
	write_text(folder, "script", text[length] == '\n' ? text + length + 1 : "");
	text[length] = '\0';
	(void)snprintf(line, size, "%.1000s", text);
}

static void parse_hex(struct folder_answer *answer, const char *hex)
{
	unsigned int byte;

	answer->size = 0;
	while (answer->size < FOLDER_ANSWER_MAX && sscanf(hex, "%2x", &byte) == 1) {
		answer->bytes[answer->size++] = (uint8_t)byte;
		hex += 2;
	}
}

static void wait_for_go(const struct folder *folder)
{
	char path[FOLDER_PATH_MAX + 16];

	path_of(folder, "go", path, sizeof(path));
	while (access(path, F_OK) != 0)
		(void)usleep(POLL_US);
	(void)unlink(path);
}

void folder_answer(const struct folder *folder, struct folder_answer *answer)
{
	char line[2 * FOLDER_ANSWER_MAX + 32], hex[2 * FOLDER_ANSWER_MAX + 1] = "";
	unsigned int ms;

	take_line(folder, line, sizeof(line));
	folder_log(folder, "script %.40s", line);
	memset(answer, 0, sizeof(*answer));
	if (sscanf(line, "fail %ld", &answer->result) == 1)
		return;
	if (sscanf(line, "wait %u %1024s", &ms, hex) == 2)
		(void)usleep(ms * 1000);
	else if (sscanf(line, "hang %1024s", hex) == 1)
		wait_for_go(folder);
	else
		(void)sscanf(line, "answer %1024s", hex);
	parse_hex(answer, hex);
}

/* ---- features ---- */

static void read_features(const struct folder *folder, char *text, size_t size)
{
	if (!read_text(folder, "features", text, size))
		(void)snprintf(text, size, DEFAULT_FEATURES);
}

bool folder_has_feature(const struct folder *folder, const char *word)
{
	char text[256];

	read_features(folder, text, sizeof(text));
	for (char *one = strtok(text, " \n"); one != NULL; one = strtok(NULL, " \n")) {
		if (strcmp(one, word) == 0)
			return true;
	}
	return false;
}

uint16_t folder_lcd_layout(const struct folder *folder)
{
	unsigned int layout = 0;
	const char *found;
	char text[256];

	read_features(folder, text, sizeof(text));
	found = strstr(text, "lcd=");
	if (found != NULL)
		(void)sscanf(found, "lcd=%x", &layout);
	return (uint16_t)layout;
}

/* ---- the log ---- */

void folder_log(const struct folder *folder, const char *format, ...)
{
	char path[FOLDER_PATH_MAX + 16];
	struct timeval now;
	va_list arguments;
	FILE *file;

	path_of(folder, "log", path, sizeof(path));
	file = fopen(path, "a");
	if (file == NULL)
		return;
	(void)gettimeofday(&now, NULL);
	(void)fprintf(file, "%ld.%03ld ", (long)now.tv_sec, (long)(now.tv_usec / 1000));
	va_start(arguments, format);
	(void)vfprintf(file, format, arguments);
	va_end(arguments);
	(void)fputc('\n', file);
	(void)fclose(file);
}
