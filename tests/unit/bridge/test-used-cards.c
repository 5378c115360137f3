/*
 * The list of used cards across the death of a bridge, and on a disk that is full.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-bridge/used_cards.h"

static char folder[] = "/tmp/test-used-cards-XXXXXX";
static char path[64];
static struct used_cards cards;

static void open_cards(void)
{
	char why[512] = "";

	if (used_cards_open(&cards, path, why, sizeof why) != 0)
		fail_msg("%s", why);
}

/* As when the process is killed: nothing is struck out or removed. */
static void die(void)
{
	close(cards.fd);
	cards.fd = -1;
	used_cards_close(&cards);
}

static void expect_bad(const char *reason)
{
	char why[512] = "";
	char expected[512];

	(void)snprintf(expected, sizeof expected, "the list of used cards %s can't be kept: %s",
		path, reason);
	assert_int_equal(used_cards_open(&cards, path, why, sizeof why), USED_CARDS_BAD);
	assert_string_equal(why, expected);
	used_cards_close(&cards);
}

static void expect_card(size_t place, const char *guest, const char *reader)
{
	assert_string_equal(cards.cards[place].guest, guest);
	assert_string_equal(cards.cards[place].reader, reader);
}

static void test_survives(void **state)
{
	size_t first, second, third;

	(void)state;
	open_cards();
	assert_int_equal(used_cards_note(&cards, "vm1", "Reader 00 00", &first), 0);
	assert_int_equal(used_cards_note(&cards, "vm2", "Reader 01 00", &second), 0);
	used_cards_strike(&cards, first);
	assert_int_equal(used_cards_note(&cards, "vm3", "Reader 02 00", &third), 0);
	assert_int_equal(third, first);
	die();
	open_cards();
	expect_card(first, "vm3", "Reader 02 00");
	expect_card(second, "vm2", "Reader 01 00");
	for (size_t i = 2; i < USED_CARDS_MAX; i++)
		expect_card(i, "", "");
	used_cards_strike(&cards, first);
	used_cards_close(&cards);
	assert_int_equal(access(path, F_OK), 0);
	open_cards();
	expect_card(first, "", "");
	expect_card(second, "vm2", "Reader 01 00");
	used_cards_strike(&cards, second);
	used_cards_close(&cards);
	assert_int_equal(access(path, F_OK), -1);
	used_cards_close(&cards);
}

static void test_full_list(void **state)
{
	size_t place;

	(void)state;
	open_cards();
	for (size_t i = 0; i < USED_CARDS_MAX; i++)
		assert_int_equal(used_cards_note(&cards, "vm1", "Reader", &place), 0);
	assert_int_equal(used_cards_note(&cards, "vm1", "Reader", &place), USED_CARDS_FULL);
	used_cards_strike(&cards, 7);
	assert_int_equal(used_cards_note(&cards, "vm1", "Reader", &place), 0);
	assert_int_equal(place, 7);
	for (size_t i = 0; i < USED_CARDS_MAX; i++)
		used_cards_strike(&cards, i);
	used_cards_close(&cards);
}

/* A limit on the size of files stands for a full disk: EFBIG where that says ENOSPC. */
static void test_full_disk(void **state)
{
	struct rlimit before, limit;
	size_t place = 0;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ .rlim_cur = 100, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect_bad("File too large");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	open_cards();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	/* What can't be written isn't noted, and the place stays free. */
	assert_int_equal(used_cards_note(&cards, "vm1", "Reader", &place), USED_CARDS_FULL);
	expect_card(0, "", "");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(used_cards_note(&cards, "vm1", "Reader", &place), 0);
	used_cards_strike(&cards, place);
	used_cards_close(&cards);
}

static void test_not_ours(void **state)
{
	char why[512];
	struct used_cards second;
	int fd;

	(void)state;
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_bad("Too many levels of symbolic links");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_bad("it is no file of ours");
	assert_int_equal(unlink(path), 0);
	open_cards();
	assert_int_equal(used_cards_open(&second, path, why, sizeof why), USED_CARDS_BAD);
	assert_non_null(strstr(why, "another ccid-bridge keeps it"));
	used_cards_close(&cards);
	/* Bytes of any origin: names that don't end are cut. */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "\xFFgarbage", 8), 8);
	close(fd);
	open_cards();
	for (size_t i = 0; i < USED_CARDS_MAX; i++) {
		assert_true(strlen(cards.cards[i].guest) < WIRE_NAME_MAX);
		assert_true(strlen(cards.cards[i].reader) < WIRE_NAME_MAX);
		used_cards_strike(&cards, i);
	}
	used_cards_close(&cards);
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/cards", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_survives),
		cmocka_unit_test(test_full_list),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_not_ours),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
