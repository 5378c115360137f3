/*
 * The log: one line per event on stderr, with a priority that the journal understands.
 *
 * A line is "<priority>tag: text" under a service manager (JOURNAL_STREAM is set) and
 * "program: tag: text" on a terminal. The tag names the part that speaks and, where there is one, the
 * guest or the reader it speaks of. Control characters in the text become '?': reader names come from
 * devices and guest names from the network, and neither may forge a line.
 *
 * There is no way to print bytes. See payload.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

enum log_level {
	LOG_LEVEL_ERROR,   /* the daemon or a reader can't do its work */
	LOG_LEVEL_WARNING, /* something is wrong outside, and is waited for or worked around */
	LOG_LEVEL_INFO,    /* what an administrator wants to see of a normal day */
	LOG_LEVEL_DEBUG,   /* what happens to each call; never its data */
};

/* Longest line, in bytes; what is longer is cut. */
#define LOG_LINE_MAX 512

/*
 * Sets the program's name (not copied; used on a terminal) and the most talkative level that is
 * printed. Before the first call the name is empty and the level is LOG_LEVEL_INFO.
 */
void log_init(const char *program, enum log_level level);

/* The level by its name: "error", "warning", "info", "debug". Returns 0, or 1 for an unknown name. */
int log_level_by_name(const char *name, enum log_level *level);

/* The name of a level. */
const char *log_level_name(enum log_level level);

/* The level that log_init() or log_set_level() has set. */
enum log_level log_get_level(void);

/*
 * Another level from now on, in this process and those that it starts later; after log_share() also in
 * those that follow it.
 */
void log_set_level(enum log_level level);

/*
 * Makes the level one that the processes which this one starts can follow, see log_page.h; to be called
 * once. Where that can't be, it is logged, and the level stays this process's own.
 */
void log_share(void);

/* The descriptor that those who are to follow need; close-on-exec. -1: there is none. */
int log_shared(void);

/*
 * The level from now on is that of the process which has shared fd, whatever that sets; fd is closed, and
 * there is no way to set it here. To be called with the descriptor that was inherited; by a process that
 * was forked and runs on, with log_shared(). Where that can't be, the level stays what it is, which is
 * logged; without a descriptor silently, since who could not share it has said so.
 */
void log_follow(int fd);

/* Prints one line. errno is left as it was. */
void log_error(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
