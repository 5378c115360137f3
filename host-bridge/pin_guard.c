/*
 * The PIN guard's memory and verdicts. See pin_guard.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/pin_guard.h"

#include <string.h>

enum pin_questions {
	QUESTIONS_UNTRIED,
	QUESTIONS_HARMLESS, /* two in a row have had the same answer */
	QUESTIONS_COUNTED,  /* the second one had a lower answer than the first: none is put any more */
};

/* ISO/IEC 7816-4:2005, 5.1.3 */
enum {
	SW_OK = PIN_GUARD_SW_OK,
	SW_BLOCKED = 0x6983,
	SW_WRONG_DATA = 0x6A80,
};

/* ---- the counters of a command ---- */

/* The one that it is about, and the same one of the other classes, which a card may not tell apart. */
struct counts {
	struct pin_count *own;
	struct pin_count *other;
};

static struct counts find_counts(const struct pin_handle *handle, const struct pin_command *command)
{
	struct pin_card *card = handle->card;
	size_t kind = command->kind == PIN_RESET ? PIN_COUNT_CODE : PIN_COUNT_PIN;
	size_t other = kind == PIN_COUNT_CODE ? PIN_COUNT_PROPRIETARY_CODE
					      : PIN_COUNT_PROPRIETARY_PIN;
	struct counts counts = {
		.own = pin_count_use(&card->counts[kind][command->reference]),
		.other = pin_count_use(&card->counts[other][command->reference]),
	};

	if (command->proprietary)
		counts = (struct counts){ .own = counts.other, .other = counts.own };
	return counts;
}

static uint32_t selection_of(const struct pin_handle *handle, const struct pin_command *command)
{
	return handle->selection[command->channel];
}

static void counts_take(struct pin_handle *handle, const struct pin_command *command)
{
	struct counts counts = find_counts(handle, command);

	pin_count_take(counts.own, selection_of(handle, command));
	pin_count_take(counts.other, selection_of(handle, command));
}

/* For those of the other classes that is true only if it is less. */
static void counts_told(struct pin_handle *handle, const struct pin_command *command, uint8_t left,
	uint8_t best)
{
	struct counts counts = find_counts(handle, command);
	uint32_t selection = selection_of(handle, command);

	pin_count_told(counts.own, selection, left, best);
	if (left < pin_count_left(counts.other, selection))
		pin_count_told(counts.other, selection, left, best);
}

static void counts_blocked(struct pin_handle *handle, const struct pin_command *command)
{
	struct counts counts = find_counts(handle, command);

	pin_count_blocked(counts.own, selection_of(handle, command));
	pin_count_blocked(counts.other, selection_of(handle, command));
}

/* RESET RETRY COUNTER gives back the tries of the PIN as well (ISO/IEC 7816-4:2005, 7.5.10). */
static void counts_restored(struct pin_handle *handle, const struct pin_command *command)
{
	uint32_t selection = selection_of(handle, command);
	struct pin_command pin = *command;

	if (command->proves || command->kind == PIN_RESET)
		pin_count_restored(find_counts(handle, command).own, selection);
	pin.kind = PIN_VERIFY;
	if (command->kind == PIN_RESET)
		pin_count_restored(find_counts(handle, &pin).own, selection);
}

/* ---- what is in flight ---- */

static void counts_depart(struct pin_handle *handle, const struct pin_command *command)
{
	struct counts counts = find_counts(handle, command);

	pin_count_depart(counts.own);
	pin_count_depart(counts.other);
}

static void counts_arrive(struct pin_handle *handle, const struct pin_command *command)
{
	struct counts counts = find_counts(handle, command);

	pin_count_arrive(counts.own);
	pin_count_arrive(counts.other);
}

static void counts_settle(struct pin_handle *handle, const struct pin_command *command)
{
	struct counts counts = find_counts(handle, command);

	pin_count_settle(counts.own);
	pin_count_settle(counts.other);
}

/* ---- chains ---- */

static bool is_in_chain(const struct pin_handle *handle, const struct pin_command *command)
{
	return handle->chained && !command->enveloped && handle->chain.kind == command->kind &&
		handle->chain.reference == command->reference &&
		(handle->chain.cla | 0x10) == (command->cla | 0x10);
}

/* It doesn't end as it began: what the card makes of that nobody knows. */
static void break_chain(struct pin_handle *handle)
{
	if (!handle->chained)
		return;
	handle->chained = false;
	counts_arrive(handle, &handle->chain);
	counts_take(handle, &handle->chain);
	counts_settle(handle, &handle->chain);
}

/* ---- cards ---- */

static bool has_atr(const struct pin_card *card, struct payload_view atr)
{
	for (size_t i = 0; i < PIN_GUARD_ATRS; i++) {
		if (card->atr_size[i] == atr.size && memcmp(card->atr[i], atr.bytes, atr.size) == 0)
			return true;
	}
	return false;
}

static struct pin_card *find_by_atr(struct pin_guard *guard, struct payload_view atr)
{
	for (size_t i = 0; i < PIN_GUARD_CARDS; i++) {
		if (has_atr(&guard->cards[i], atr))
			return &guard->cards[i];
	}
	return NULL;
}

/* The same insertion with another ATR, which is its second one. */
static struct pin_card *find_by_place(struct pin_guard *guard, uint32_t reader, uint32_t insertion)
{
	for (size_t i = 0; i < PIN_GUARD_CARDS; i++) {
		struct pin_card *card = &guard->cards[i];

		if (card->reader == reader && card->insertion == insertion &&
		    card->atr_size[0] != 0 && card->atr_size[1] == 0)
			return card;
	}
	return NULL;
}

/* A free place, or that of the card that was opened longest ago and isn't open now. */
static struct pin_card *new_card(struct pin_guard *guard)
{
	struct pin_card *oldest = NULL;

	for (size_t i = 0; i < PIN_GUARD_CARDS; i++) {
		struct pin_card *card = &guard->cards[i];

		if (card->handles == 0 && (oldest == NULL || card->opened < oldest->opened))
			oldest = card;
	}
	if (oldest != NULL)
		memset(oldest, 0, sizeof *oldest);
	return oldest;
}

static void card_add_atr(struct pin_card *card, struct payload_view atr)
{
	size_t i = card->atr_size[0] == 0 ? 0 : 1;

	card->atr_size[i] = (uint8_t)atr.size;
	memcpy(card->atr[i], atr.bytes, atr.size);
}

/* Another insertion: it may be asked once more, even if that has not been found to be harmless. */
static void card_inserted(struct pin_card *card)
{
	for (size_t kind = 0; kind < PIN_COUNT_KINDS; kind++) {
		for (size_t i = 0; i < 256; i++)
			card->counts[kind][i].flags &= (uint8_t)~PIN_COUNT_ASKED;
	}
}

static struct pin_card *find_card(struct pin_guard *guard, uint32_t reader, uint32_t insertion,
	struct payload_view atr)
{
	struct pin_card *card = find_by_atr(guard, atr);

	if (card != NULL)
		return card;
	card = find_by_place(guard, reader, insertion);
	if (card == NULL)
		card = new_card(guard);
	if (card != NULL)
		card_add_atr(card, atr);
	return card;
}

/* ---- verdicts ---- */

static bool is_deaf(const struct pin_handle *handle, const struct pin_command *command)
{
	return handle->deaf && handle->deaf_reference == command->reference &&
		handle->deaf_selection == selection_of(handle, command);
}

/* Whether a command that asks has the meaning that the standard gives it. */
static bool can_be_asked(const struct pin_handle *handle, const struct pin_command *command)
{
	return handle->ask && command->kind != PIN_RESET && !command->proprietary &&
		!command->secured && !command->enveloped && !is_deaf(handle, command);
}

static bool wants_first_question(const struct pin_handle *handle, const struct pin_command *command)
{
	const struct pin_count *count = find_counts(handle, command).own;

	switch (handle->card->questions) {
	case QUESTIONS_HARMLESS:
		return true;
	case QUESTIONS_UNTRIED:
		return pin_guard_left(handle, command) > handle->keep ||
			(count->flags & PIN_COUNT_ASKED) == 0;
	}
	return false;
}

static bool wants_question(const struct pin_handle *handle, const struct pin_command *command)
{
	if (!can_be_asked(handle, command))
		return false;
	if (handle->asked == 0)
		return wants_first_question(handle, command);
	/* The second one shows whether the first was counted; it leaves the card its N tries. */
	return handle->asked == 1 && handle->card->questions == QUESTIONS_UNTRIED &&
		handle->answer > (int)handle->keep;
}

static unsigned int less(unsigned int left, unsigned int taken)
{
	return left > taken ? left - taken : 0;
}

unsigned int pin_guard_left(const struct pin_handle *handle, const struct pin_command *command)
{
	const struct pin_count *count;

	if (handle->card == NULL)
		return 0;
	count = find_counts(handle, command).own;
	return less(pin_count_left(count, selection_of(handle, command)), count->pending);
}

enum pin_verdict pin_guard_judge(struct pin_handle *handle, const struct pin_command *command)
{
	unsigned int left;

	if (handle->keep == 0 || command->kind == PIN_NONE)
		return PIN_PASS;
	/* Neither is a card known of which there was no room to remember anything. */
	if (command->kind == PIN_UNREADABLE || handle->card == NULL)
		return PIN_REFUSE;
	if (is_in_chain(handle, command))
		return PIN_PASS;
	break_chain(handle);
	if (command->query && handle->card->questions == QUESTIONS_HARMLESS)
		return PIN_PASS;
	if (wants_question(handle, command))
		return PIN_ASK;
	left = pin_guard_left(handle, command);
	if (handle->answer >= 0)
		left = less((unsigned int)handle->answer, find_counts(handle, command).own->pending);
	return left > handle->keep ? PIN_PASS : PIN_REFUSE;
}

/* ---- questions ---- */

void pin_guard_question(const struct pin_command *command, uint8_t *apdu, struct pin_command *question)
{
	apdu[0] = command->cla & (uint8_t)((command->cla & 0x40) != 0 ? 0x4F : 0x03);
	apdu[1] = 0x20;
	apdu[2] = 0;
	apdu[3] = command->reference;
	pin_command_read((struct payload_view){ apdu, PIN_QUESTION_SIZE }, question);
}

/* ISO/IEC 7816-4:2005, 5.1.3: 67 to 6F but 69 are errors of the command itself. */
static bool is_not_understood(uint16_t sw)
{
	switch (sw >> 8) {
	case 0x68:
	case 0x6A:
	case 0x6B:
	case 0x6C:
	case 0x6D:
	case 0x6E:
		return true;
	}
	return false;
}

static int told_by(uint16_t sw)
{
	if ((sw & 0xFFF0) == 0x63C0)
		return sw & 0x0F;
	return sw == SW_BLOCKED ? 0 : -1;
}

/* Without a word that says otherwise, a question may have used a try. */
static void question_unanswered(struct pin_handle *handle, const struct pin_command *command, uint16_t sw)
{
	if (sw == SW_OK)
		return;
	handle->deaf = true;
	handle->deaf_reference = command->reference;
	handle->deaf_selection = selection_of(handle, command);
	if (!is_not_understood(sw) && sw >> 8 != 0x67 && handle->card->questions != QUESTIONS_HARMLESS)
		counts_take(handle, command);
}

/* Two answers in a row; what others have in flight may have come between. */
static void compare_answers(struct pin_handle *handle, const struct pin_command *command, int first)
{
	const struct pin_count *count = find_counts(handle, command).own;

	if (first < 0 || handle->answer < 0 || count->pending > 0 ||
	    handle->card->questions != QUESTIONS_UNTRIED)
		return;
	if (handle->answer == first)
		handle->card->questions = QUESTIONS_HARMLESS;
	else if (handle->answer < first)
		handle->card->questions = QUESTIONS_COUNTED;
}

void pin_guard_asked(struct pin_handle *handle, const struct pin_command *command, uint16_t sw)
{
	int first = handle->answer;

	handle->asked++;
	if (handle->card == NULL)
		return;
	if (handle->card->questions == QUESTIONS_UNTRIED)
		find_counts(handle, command).own->flags |= PIN_COUNT_ASKED;
	handle->answer = told_by(sw);
	if (sw == SW_BLOCKED)
		counts_blocked(handle, command);
	else if (handle->answer >= 0)
		counts_told(handle, command, (uint8_t)handle->answer, (uint8_t)handle->answer);
	else
		question_unanswered(handle, command, sw);
	compare_answers(handle, command, first);
}

static void questions_done(struct pin_handle *handle)
{
	handle->asked = 0;
	handle->answer = -1;
}

/* ---- commands ---- */

static bool is_counted(const struct pin_handle *handle, const struct pin_command *command)
{
	return handle->card != NULL && command->kind != PIN_NONE && command->kind != PIN_UNREADABLE;
}

void pin_guard_sent(struct pin_handle *handle, const struct pin_command *command)
{
	questions_done(handle);
	if (!is_counted(handle, command))
		return;
	/* The try of a chain was taken by its first part. */
	if (is_in_chain(handle, command)) {
		handle->chained = false;
		return;
	}
	break_chain(handle);
	counts_depart(handle, command);
}

void pin_guard_refused(struct pin_handle *handle)
{
	questions_done(handle);
}

/* A word that neither counts nor verifies. */
static bool is_harmless(const struct pin_command *command, uint16_t sw)
{
	/* PC/SC 2.02, part 10, 2.5.2: timeout, cancelled, PINs that differ, a length that the reader forbids. */
	if (command->pin_pad && sw >= 0x6400 && sw <= 0x6403)
		return true;
	/* A PIN in a form or of a length that is none of this card's: some count that. */
	return is_not_understood(sw) && sw != SW_WRONG_DATA;
}

static enum pin_result take_success(struct pin_handle *handle, const struct pin_command *command)
{
	if (command->query)
		return PIN_STATED;
	if (command->enveloped) {
		counts_take(handle, command);
		return PIN_UNJUDGED;
	}
	if (command->part) {
		handle->chained = true;
		handle->chain = *command;
		counts_depart(handle, command);
		return PIN_UNJUDGED;
	}
	counts_restored(handle, command);
	return PIN_VERIFIED;
}

static enum pin_result take_status(struct pin_handle *handle, const struct pin_command *command,
	uint16_t sw, int *tries)
{
	*tries = told_by(sw);
	if (sw == SW_OK)
		return take_success(handle, command);
	if (sw == SW_BLOCKED) {
		counts_blocked(handle, command);
		return PIN_BLOCKED;
	}
	if (*tries >= 0) {
		counts_told(handle, command, (uint8_t)*tries,
			(uint8_t)(command->query ? *tries : *tries + 1));
		return command->query ? PIN_STATED : PIN_WRONG;
	}
	if (is_harmless(command, sw))
		return PIN_UNJUDGED;
	if (!command->query || handle->card->questions != QUESTIONS_HARMLESS)
		counts_take(handle, command);
	return sw >> 8 == 0x63 ? PIN_WRONG : PIN_FAILED;
}

enum pin_result pin_guard_answered(struct pin_handle *handle, const struct pin_command *command,
	uint16_t sw, int *tries)
{
	enum pin_result result;

	*tries = -1;
	if (!is_counted(handle, command))
		return PIN_IRRELEVANT;
	counts_arrive(handle, command);
	result = take_status(handle, command, sw, tries);
	counts_settle(handle, command);
	return result;
}

void pin_guard_unsent(struct pin_handle *handle, const struct pin_command *command)
{
	if (!is_counted(handle, command))
		return;
	counts_arrive(handle, command);
	counts_settle(handle, command);
}

void pin_guard_lost(struct pin_handle *handle, const struct pin_command *command)
{
	if (!is_counted(handle, command))
		return;
	counts_arrive(handle, command);
	if (!command->query || handle->card->questions != QUESTIONS_HARMLESS)
		counts_take(handle, command);
	counts_settle(handle, command);
}

void pin_guard_other(struct pin_handle *handle, struct payload_view apdu)
{
	uint32_t selection;
	uint8_t channel;

	if (handle->card == NULL)
		return;
	break_chain(handle);
	if (pin_command_selects(apdu, &channel, &selection))
		handle->selection[channel] = selection;
}

/* ---- handles and memory ---- */

void pin_guard_open(struct pin_guard *guard, struct pin_handle *handle, uint32_t reader,
	uint32_t insertion, struct payload_view atr)
{
	struct pin_card *card;

	pin_guard_close(handle);
	if (atr.size == 0 || atr.size > WIRE_ATR_MAX)
		return;
	card = find_card(guard, reader, insertion, atr);
	handle->card = card;
	if (card == NULL)
		return;
	if (card->reader != reader || card->insertion != insertion)
		card_inserted(card);
	card->reader = reader;
	card->insertion = insertion;
	card->opened = ++guard->opened;
	card->handles++;
}

void pin_guard_close(struct pin_handle *handle)
{
	if (handle->card != NULL) {
		break_chain(handle);
		handle->card->handles--;
	}
	*handle = (struct pin_handle){ .keep = handle->keep, .ask = handle->ask, .answer = -1 };
}

void pin_guard_init(struct pin_guard *guard)
{
	memset(guard, 0, sizeof *guard);
}

void pin_guard_recall(struct pin_guard *guard)
{
	for (size_t i = 0; i < PIN_GUARD_CARDS; i++) {
		struct pin_card *card = &guard->cards[i];

		if (card->atr_size[0] > WIRE_ATR_MAX || card->atr_size[1] > WIRE_ATR_MAX ||
		    card->atr_size[0] == 0 || card->questions > QUESTIONS_COUNTED)
			memset(card, 0, sizeof *card);
		card->reader = 0;
		card->handles = 0;
		if (card->opened > guard->opened)
			guard->opened = card->opened;
		for (size_t kind = 0; kind < PIN_COUNT_KINDS; kind++) {
			for (size_t j = 0; j < 256; j++)
				pin_count_recall(&card->counts[kind][j]);
		}
	}
}
