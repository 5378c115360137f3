/*
 * find-secret PATTERNS WHERE...: looks for bytes that must not be there.
 * find-secret --locked PID: prints what a process has locked into memory, in hexadecimal, each region on
 * a line of its own: the keys that only it knows, so that they can be looked for elsewhere.
 *
 * PATTERNS is a file with a name and the bytes in hexadecimal on each line. WHERE is a process, by its
 * number, of which all memory is searched that it can read, or the path of a file. Each place is
 * printed, with whether it is locked into memory and the name of the pattern, never its bytes, and at the
 * end how much was searched of what. The exit status is 0 if nothing was found, 1 if something was, 2 if it could not be searched.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATTERNS_MAX 128
#define PATTERN_MAX 128        /* bytes */
#define CHUNK (1024 * 1024)
#define EXIT_UNSEARCHED 2

struct pattern {
	char name[64];
	uint8_t bytes[PATTERN_MAX];
	size_t size;
};

static struct pattern patterns[PATTERNS_MAX];
static size_t pattern_count;
static unsigned long found;

static void fail(const char *what)
{
	(void)fprintf(stderr, "find-secret: %s: %s\n", what, strerror(errno));
	exit(EXIT_UNSEARCHED);
}

static void read_pattern(const char *line)
{
	struct pattern *pattern = &patterns[pattern_count];
	char hex[2 * PATTERN_MAX + 1];
	unsigned int byte;

	if (pattern_count == PATTERNS_MAX) {
		errno = E2BIG;
		fail("patterns");
	}
	if (sscanf(line, "%63s %256s", pattern->name, hex) != 2)
		return;
	while (pattern->size < PATTERN_MAX &&
		sscanf(&hex[2 * pattern->size], "%2x", &byte) == 1)
		pattern->bytes[pattern->size++] = (uint8_t)byte;
	pattern_count++;
}

static void read_patterns(const char *file)
{
	char line[512];
	FILE *stream = fopen(file, "r");

	if (stream == NULL)
		fail(file);
	while (fgets(line, sizeof line, stream) != NULL)
		read_pattern(line);
	(void)fclose(stream);
	if (pattern_count == 0)
		fail("there are no patterns");
}

/* Prints what begins in the first fresh bytes; behind them is what the next piece begins with. */
static void search(const uint8_t *bytes, size_t size, size_t fresh, const char *where, uint64_t base)
{
	for (size_t i = 0; i < pattern_count; i++) {
		const uint8_t *at = bytes;

		while ((at = memmem(at, size - (size_t)(at - bytes), patterns[i].bytes,
				patterns[i].size)) != NULL && (size_t)(at - bytes) < fresh) {
			(void)printf("%s: %s at %" PRIx64 "\n", where, patterns[i].name,
				base + (uint64_t)(at - bytes));
			found++;
			at++;
		}
	}
}

/* In pieces that overlap by a pattern. Returns the bytes that could be read. */
static uint64_t search_fd(int fd, uint64_t from, uint64_t to, const char *where)
{
	static uint8_t bytes[CHUNK + PATTERN_MAX];
	uint64_t searched = 0;

	while (from < to) {
		uint64_t left = to - from;
		size_t wanted = left < sizeof bytes ? (size_t)left : sizeof bytes;
		ssize_t n = pread(fd, bytes, wanted, (off_t)from);
		size_t fresh;

		if (n <= 0)
			break;
		fresh = (size_t)n > CHUNK ? CHUNK : (size_t)n;
		search(bytes, (size_t)n, fresh, where, from);
		from += fresh;
		searched += fresh;
	}
	return searched;
}

/* A region, as /proc/PID/smaps has it: a line of its own, then its properties, of which VmFlags is the last. */
struct region {
	uint64_t from, to;
	char rights[8];
	char name[256];
	bool locked;
};

static bool next_region(FILE *maps, struct region *region)
{
	char line[1024];

	while (fgets(line, sizeof line, maps) != NULL) {
		struct region next = { .from = 0 };

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %255s", &next.from, &next.to,
				next.rights, next.name) >= 3)
			*region = next;
		if (strncmp(line, "VmFlags:", 8) != 0)
			continue;
		region->locked = strstr(line, " lo") != NULL;
		if (region->rights[0] == 'r' && strncmp(region->name, "[v", 2) != 0)
			return true;
	}
	return false;
}

static int open_memory(const char *pid, FILE **maps)
{
	char path[64];
	int memory;

	(void)snprintf(path, sizeof path, "/proc/%s/mem", pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	if (memory < 0)
		fail(path);
	(void)snprintf(path, sizeof path, "/proc/%s/smaps", pid);
	*maps = fopen(path, "r");
	if (*maps == NULL)
		fail(path);
	return memory;
}

static void search_process(const char *pid)
{
	char where[384];
	struct region region = { .from = 0 };
	uint64_t searched = 0;
	unsigned int regions = 0;
	FILE *maps;
	int memory = open_memory(pid, &maps);

	for (; next_region(maps, &region); regions++) {
		(void)snprintf(where, sizeof where, "process %s %s%s", pid, region.name,
			region.locked ? " locked" : "");
		searched += search_fd(memory, region.from, region.to, where);
	}
	(void)fclose(maps);
	(void)close(memory);
	if (searched == 0)
		fail(pid);
	(void)printf("process %s: searched %" PRIu64 " kB in %u regions\n", pid, searched / 1024,
		regions);
}

static void print_locked(const char *pid)
{
	struct region region = { .from = 0 };
	uint8_t byte;
	FILE *maps;
	int memory = open_memory(pid, &maps);

	while (next_region(maps, &region)) {
		if (!region.locked)
			continue;
		while (region.from < region.to && pread(memory, &byte, 1, (off_t)region.from++) == 1)
			(void)printf("%02x", byte);
		(void)putchar('\n');
	}
	(void)fclose(maps);
	(void)close(memory);
}

static void search_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	(void)search_fd(fd, 0, INT64_MAX, path);
	(void)close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fputs("usage: find-secret PATTERNS PID|FILE... | --locked PID\n", stderr);
		return EXIT_UNSEARCHED;
	}
	if (strcmp(argv[1], "--locked") == 0) {
		print_locked(argv[2]);
		return EXIT_SUCCESS;
	}
	read_patterns(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (strspn(argv[i], "0123456789") == strlen(argv[i]))
			search_process(argv[i]);
		else
			search_file(argv[i]);
	}
	(void)printf("%d searched for %zu patterns: %lu found\n", argc - 2, pattern_count, found);
	return found > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
