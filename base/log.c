/*
 * The log's only output: each line is built in one buffer and written with one call, so that lines of
 * several processes don't mix. A full or closed stderr loses lines, never the daemon. See log.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log_page.h"

static const char *log_program = "";
static atomic_int log_own = LOG_LEVEL_INFO; /* where nothing is shared */
static atomic_int *log_setting = &log_own;  /* what log_set_level() sets */
static const atomic_int *log_level = &log_own;
static int log_page = -1;

/* sd-daemon(3): a line that starts with "<N>" has the syslog priority N. */
static const int log_priorities[] = {
	[LOG_LEVEL_ERROR] = 3,
	[LOG_LEVEL_WARNING] = 4,
	[LOG_LEVEL_INFO] = 6,
	[LOG_LEVEL_DEBUG] = 7,
};

static const char *const log_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_init(const char *program, enum log_level level)
{
	log_program = program;
	log_set_level(level);
}

int log_level_by_name(const char *name, enum log_level *level)
{
	for (enum log_level i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(name, log_names[i]) == 0) {
			*level = i;
			return 0;
		}
	}
	return 1;
}

const char *log_level_name(enum log_level level)
{
	return log_names[level];
}

/* The page may be another process's, and have any number in it. */
enum log_level log_get_level(void)
{
	int level = atomic_load_explicit(log_level, memory_order_relaxed);

	if (level < LOG_LEVEL_ERROR)
		return LOG_LEVEL_ERROR;
	return level < LOG_LEVEL_DEBUG ? (enum log_level)level : LOG_LEVEL_DEBUG;
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(log_setting, (int)level, memory_order_relaxed);
}

/* ---- several processes ---- */

void log_share(void)
{
	atomic_int *page;
	int r = log_page_make(&log_page, &page);

	if (r != 0) {
		log_warning("log", "'log-level' will not reach the processes that run already: %s", strerror(-r));
		return;
	}
	atomic_store_explicit(page, (int)log_get_level(), memory_order_relaxed);
	log_setting = page;
	log_level = page;
}

int log_shared(void)
{
	return log_page;
}

void log_follow(int fd)
{
	enum log_level before = log_get_level();
	const atomic_int *page = NULL;
	int r = log_page_map(fd, &page);

	/* What a fork() brought along could be written. */
	if (log_setting != &log_own)
		log_page_leave(log_setting);
	log_setting = &log_own;
	log_level = r == 0 ? page : &log_own;
	log_set_level(before);
	if (r != LOG_PAGE_NONE)
		(void)close(fd);
	if (fd == log_page)
		log_page = -1;
	if (r != 0 && r != LOG_PAGE_NONE)
		log_warning("log", "'log-level' does not reach this process, which keeps the level %s: %s",
			log_level_name(before), r < 0 ? strerror(-r) : "what it inherited is no level");
}

/* ---- lines ---- */

/* Writes "<priority>tag: " or "program: tag: "; returns its length. */
static size_t log_prefix(char *line, size_t size, enum log_level level, const char *tag)
{
	int n;

	if (getenv("JOURNAL_STREAM") != NULL)
		n = snprintf(line, size, "<%d>%s: ", log_priorities[level], tag);
	else
		n = snprintf(line, size, "%s: %s: %s: ", log_program, log_names[level], tag);
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

static void log_print(enum log_level level, const char *tag, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void log_print(enum log_level level, const char *tag, const char *format, va_list args)
{
	char line[LOG_LINE_MAX + 1];
	int saved_errno = errno;
	size_t used;
	ssize_t written;

	if (level > log_get_level())
		return;
	used = log_prefix(line, LOG_LINE_MAX, level, tag);
	(void)vsnprintf(line + used, LOG_LINE_MAX - used, format, args);
	used = strlen(line);
	for (size_t i = 0; i < used; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
			line[i] = '?';
	}
	line[used++] = '\n';
	written = write(STDERR_FILENO, line, used);
	(void)written; /* there is nobody left to tell */
	errno = saved_errno;
}

void log_error(const char *tag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_print(LOG_LEVEL_ERROR, tag, format, args);
	va_end(args);
}

void log_warning(const char *tag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_print(LOG_LEVEL_WARNING, tag, format, args);
	va_end(args);
}

void log_info(const char *tag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_print(LOG_LEVEL_INFO, tag, format, args);
	va_end(args);
}

void log_debug(const char *tag, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_print(LOG_LEVEL_DEBUG, tag, format, args);
	va_end(args);
}
