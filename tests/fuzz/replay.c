/*
 * Plays the files of a folder through a fuzzer's entry, in the place of libFuzzer's main: any
 * compiler and sanitizer can run the seeds and what was once found.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define INPUT_MAX (1024 * 1024)

static int play(const char *path)
{
	uint8_t *room = malloc(INPUT_MAX);
	FILE *file = fopen(path, "rb");
	int result = 1;

	if (room != NULL && file != NULL) {
		size_t size = fread(room, 1, INPUT_MAX, file);
		/* An input in a buffer of its own size: a sanitizer sees a step beyond it. */
		uint8_t *input = realloc(room, size > 0 ? size : 1);

		room = input != NULL ? input : room;
		result = ferror(file) || LLVMFuzzerTestOneInput(room, size) != 0;
	}
	if (result != 0)
		fprintf(stderr, "%s: can't be played\n", path);
	if (file != NULL)
		fclose(file);
	free(room);
	return result;
}

int main(int argc, char **argv)
{
	char path[4096];
	struct dirent *entry;
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	int count = 0;
	int result = 0;

	if (folder == NULL) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	while (result == 0 && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		result = play(path);
		count++;
	}
	closedir(folder);
	printf("%d inputs\n", count);
	return result != 0 || count == 0;
}
