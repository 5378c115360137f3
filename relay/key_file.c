/*
 * Key files. See key_file.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/payload.h"

#define PATH_MAX_OURS 4096
#define LINE_SIZE KEY_TEXT_SIZE /* of the key and the end of its line */

static int refuse(char why[KEY_FILE_WHY_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(char why[KEY_FILE_WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, KEY_FILE_WHY_MAX, format, args);
	va_end(args);
	return KEY_FILE_REFUSED;
}

/* ---- reading ---- */

/* Whether root may believe this owner, too: the user to whom the bridge's service hands its key over. */
static bool is_service(uid_t owner)
{
	const struct passwd *user = geteuid() == 0 ? getpwuid(owner) : NULL;

	return user != NULL && strcmp(user->pw_name, KEY_FILE_SERVICE) == 0;
}

static int check_owner(int fd, const char *path, char *why)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return refuse(why, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return refuse(why, "%s: a key must be in a regular file", path);
	if (status.st_uid != geteuid() && status.st_uid != 0 && !is_service(status.st_uid))
		return refuse(why, "%s: it belongs to another user, who may know the key", path);
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return refuse(why, "%s: others may read or write it (its mode is %03o); "
			"make a new key, or chmod 600 it if nobody has", path,
			(unsigned int)(status.st_mode & 0777));
	return 0;
}

static int read_text(int fd, const char *path, struct private_key *key, char *why)
{
	char text[LINE_SIZE + 2];
	ssize_t size = read(fd, text, sizeof(text) - 1);
	int r = KEY_BAD;

	if (size < 0) {
		r = refuse(why, "%s: %s", path, strerror(errno));
	} else {
		if (size > 0 && text[size - 1] == '\n')
			size--;
		text[size] = '\0';
		if (strlen(text) == (size_t)size)
			r = key_private_from_text(text, key);
		if (r != 0)
			r = refuse(why, "%s: it holds no key, which is one line of %d characters",
				path, KEY_TEXT_SIZE - 1);
	}
	payload_wipe(text, sizeof(text));
	return r;
}

int key_file_read(const char *path, struct private_key *key, char why[KEY_FILE_WHY_MAX])
{
	/* Not to wait where a pipe is, which is refused a moment later. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	payload_wipe(key, sizeof(*key));
	if (fd < 0)
		return refuse(why, "%s: %s%s", path, strerror(errno),
			errno == ENOENT ? "; '" KEY_COMMAND_MAKE "' makes a key there" : "");
	r = check_owner(fd, path, why);
	if (r == 0)
		r = read_text(fd, path, key, why);
	(void)close(fd);
	return r;
}

/* ---- making ---- */

static int write_text(int fd, const struct private_key *key)
{
	char text[LINE_SIZE];
	size_t done = 0;
	ssize_t size = 0;

	key_private_to_text(key, text);
	text[KEY_TEXT_SIZE - 1] = '\n';
	while (size >= 0 && done < sizeof(text)) {
		size = write(fd, &text[done], sizeof(text) - done);
		if (size < 0 && errno == EINTR)
			size = 0;
		done += size > 0 ? (size_t)size : 0;
	}
	payload_wipe(text, sizeof(text));
	return size >= 0 && fsync(fd) == 0 ? 0 : -1;
}

/* The new name itself must not be lost either. It is there, whether or not that can be done. */
static void sync_folder(const char *path)
{
	char folder[PATH_MAX_OURS];
	char *slash;
	int fd;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

int key_file_make(const char *path, const struct private_key *key, char why[KEY_FILE_WHY_MAX])
{
	char temporary[PATH_MAX_OURS];
	struct stat status;
	int fd, r = 0;

	if (lstat(path, &status) == 0)
		return refuse(why, "%s is there already, and stays as it is", path);
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return refuse(why, "%s: %s", path, strerror(ENAMETOOLONG));
	fd = mkostemp(temporary, O_CLOEXEC); /* with mode 0600 */
	if (fd < 0)
		return refuse(why, "%s: no key was made: %s", path, strerror(errno));
	if (write_text(fd, key) != 0)
		r = refuse(why, "%s: no key was made: %s", path, strerror(errno));
	(void)close(fd);
	/* Not rename(), which would replace a file that has appeared meanwhile. */
	if (r == 0 && link(temporary, path) != 0)
		r = errno == EEXIST ? refuse(why, "%s is there already, and stays as it is", path) :
			refuse(why, "%s: no key was made: %s", path, strerror(errno));
	(void)unlink(temporary);
	if (r == 0)
		sync_folder(path);
	return r;
}

/* ---- the commands ---- */

static int print_public(const struct private_key *private)
{
	struct public_key public;
	char text[KEY_TEXT_SIZE];

	key_public(private, &public);
	key_public_to_text(&public, text);
	return puts(text) >= 0 && fflush(stdout) == 0 ? 0 : -1;
}

int key_command(const char *program, const char *command, const char *file)
{
	struct private_key private;
	char why[KEY_FILE_WHY_MAX];
	bool make = strcmp(command, KEY_COMMAND_MAKE) == 0;
	int status = EX_OK, r;

	if (make) {
		randombytes_buf(private.bytes, sizeof(private.bytes));
		r = key_file_make(file, &private, why);
	} else {
		r = key_file_read(file, &private, why);
	}
	if (r != 0) {
		(void)fprintf(stderr, "%s: %s\n", program, why);
		status = make ? EX_CANTCREAT : EX_NOINPUT;
	} else if (print_public(&private) != 0) {
		(void)fprintf(stderr, "%s: the public key can't be printed: %s\n", program,
			strerror(errno));
		status = EX_IOERR;
	}
	payload_wipe(&private, sizeof(private));
	return status;
}
