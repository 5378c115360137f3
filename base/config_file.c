/*
 * The reading of configuration files. See config_file.h.
 *
 * A value is checked when libconfuse has just read it, because only then does it know the line. What is
 * missing is found when the section, or the file, ends.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/config_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/config_text.h"
#include "base/log.h"

/* What the error callback needs; set while config_file_read() runs. */
static struct {
	const char *file;
	char *problem;
} reading;

static void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reading.problem, CONFIG_PROBLEM_MAX, format, args);
	va_end(args);
}

static void on_error(cfg_t *cfg, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * Of several errors the first is the cause: libconfuse sometimes adds another one on its way out.
 */
static void on_error(cfg_t *cfg, const char *format, va_list args)
{
	char text[CONFIG_PROBLEM_MAX];

	if (reading.problem[0] != '\0')
		return;
	(void)vsnprintf(text, sizeof text, format, args);
	report("%s:%d: %s", reading.file, cfg->line, text);
}

static void report_text(int r, int line)
{
	switch (r) {
	case CONFIG_TEXT_UNREADABLE:
		if (errno == EINVAL)
			report("%s: not a text file", reading.file);
		else
			report("%s: %s", reading.file, strerror(errno));
		break;
	case CONFIG_TEXT_OPEN_QUOTE:
		report("%s:%d: this quote is never closed", reading.file, line);
		break;
	case CONFIG_TEXT_OPEN_BRACE:
		report("%s:%d: this brace is never closed", reading.file, line);
		break;
	}
}

int config_file_read(const char *file, cfg_t *cfg, int (*copy)(cfg_t *cfg, void *config), void *config,
	char *problem)
{
	char *text = NULL;
	int line = 0;
	int r;

	reading.file = file;
	reading.problem = problem;
	problem[0] = '\0';
	cfg_set_error_function(cfg, on_error);
	r = config_text_read(file, &text, &line);
	if (r > 0) {
		report_text(r, line);
		r = CONFIG_INVALID;
	} else if (r == 0) {
		r = cfg_parse_buf(cfg, text) == CFG_SUCCESS ? copy(cfg, config) : CONFIG_INVALID;
	}
	free(text);
	cfg_free(cfg);
	return r;
}

const char *config_newest(cfg_opt_t *opt)
{
	return cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
}

bool config_is_name(const char *text, size_t max)
{
	size_t size = 0;

	for (; text[size] != '\0'; size++) {
		if (iscntrl((unsigned char)text[size]))
			return false;
	}
	return size >= 1 && size <= max;
}

int config_check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
	enum log_level level;

	if (log_level_by_name(config_newest(opt), &level) == 0)
		return 0;
	cfg_error(cfg, "log-level = %s: use error, warning, info or debug", config_newest(opt));
	return -1;
}

int config_check_socket(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *value = config_newest(opt);
	size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (value[0] == '\0' || (value[0] == '/' && strlen(value) <= max))
		return 0;
	cfg_error(cfg, "%s: the path of a socket is absolute, and has %zu bytes at most; \"\" is for none",
		cfg_opt_name(opt), max);
	return -1;
}
