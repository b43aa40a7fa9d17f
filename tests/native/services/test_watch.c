/* SPDX-License-Identifier: BSD-2-Clause */
/* The consoles of VMs, for who asks at the port. */
#include "control_machine.h"

#include <string.h>

#include "abi/console.h"
#include "lib/bits.h"

/* The console's side: takes what came, an ASK as '?', and says something. */
static const char *console_hears(const char *says)
{
    static char heard[CHANNEL_ENTRIES * CONSOLE_BYTES + 1];
    struct console_entry entry;
    size_t length = 0;

    while (channel_get(&machine.console, &entry)) {
        memcpy(heard + length, entry.bytes, entry.length);
        length += entry.length;
        if (entry.what == CONSOLE_ASK)
            heard[length++] = '?';
    }
    heard[length] = '\0';
    for (size_t n; *says != '\0'; says += n) {
        n = min_u64(strlen(says), CONSOLE_BYTES);
        entry = (struct console_entry){.length = (uint16_t)n};
        memcpy(entry.bytes, says, n);
        assert_true(channel_put(&machine.console, &entry));
    }
    return heard;
}

/* What VM 1 wrote from there on; *at becomes where it goes on. */
static const char *see(uint32_t *at, uint32_t *typed)
{
    static char seen[CONTROL_DATA];
    struct control_answer a = ask(CONTROL_CALL_CONSOLE, 1, *at);
    struct control_console is;

    assert_int_equal(a.error, CONTROL_OK);
    assert_true(a.size >= sizeof(is));
    memcpy(&is, a.data, sizeof(is));
    memcpy(seen, a.data + sizeof(is), a.size - sizeof(is));
    seen[a.size - sizeof(is)] = '\0';
    *at = is.at + (uint32_t)(a.size - sizeof(is));
    *typed = is.typed;
    return seen;
}

static void consoles_are_seen(void **state)
{
    static char much[CONSOLE_KEPT - 400];
    uint32_t first = 0, second = 0, lost, typed;

    begin();
    assert_string_equal(see(&first, &typed), "");
    assert_string_equal(console_hears("hello"), "?");
    assert_string_equal(see(&first, &typed), "hello");
    lost = second; /* an answer that is lost is asked for again */
    assert_string_equal(see(&lost, &typed), "hello");
    assert_string_equal(see(&second, &typed), "hello");
    assert_string_equal(see(&second, &typed), "");
    /* More than is kept: from there on. Longer than an answer: in several. */
    memset(much, 'm', sizeof(much) - 1);
    for (int i = 0; i < 2; i++) {
        console_hears(much);
        see(&second, &typed);
    }
    uint32_t total = 5 + 2 * (sizeof(much) - 1), at = first;
    size_t length = strlen(see(&at, &typed));
    assert_int_equal(at - length, total - CONSOLE_KEPT);
    assert_int_equal(length, CONTROL_DATA - sizeof(struct control_console));
    while (at != total)
        assert_in_range(strlen(see(&at, &typed)), 1, CONTROL_DATA);
    at = total + 1; /* nothing was there yet */
    see(&at, &typed);
    assert_int_equal(at, total - CONSOLE_KEPT + length);
    expect(CONTROL_CALL_CONSOLE, 0, CONTROL_NO_VM); /* it has none */
    expect(CONTROL_CALL_CONSOLE, 255, CONTROL_NO_VM);
}

static enum control_error type_for(uint8_t vm, const char *text, size_t count, uint8_t number)
{
    uint64_t bytes = 0;

    memcpy(&bytes, text, min_u64(strlen(text), CONTROL_TYPED_MAX));
    return (enum control_error)ask(CONTROL_CALL_TYPE, vm, CONTROL_TYPED(bytes, count, number))
        .error;
}

static void consoles_are_typed_at(void **state)
{
    uint32_t at = 0, typed;

    begin();
    assert_int_equal(type_for(1, "ls -l\r", 6, 1), CONTROL_OK);
    assert_int_equal(type_for(1, "ls -l\r", 6, 1), CONTROL_OK); /* the answer was lost */
    assert_int_equal(type_for(1, "x", 1, 2), CONTROL_OK);
    assert_int_equal(type_for(1, "y", 1, 2), CONTROL_OK); /* of another one, who saw 1 as well */
    assert_string_equal(console_hears(""), "ls -l\rxy");
    see(&at, &typed);
    assert_int_equal(typed, 2);
    assert_int_equal(type_for(1, "much", 7, 3), CONTROL_NO_VM);
    assert_int_equal(type_for(0, "x", 1, 3), CONTROL_NO_VM);
    console_hears("");
    for (unsigned i = 0; i < CHANNEL_ENTRIES; i++)
        assert_int_equal(type_for(1, "z", 1, (uint8_t)(3 + i)), CONTROL_OK);
    assert_int_equal(type_for(1, "y", 1, 200), CONTROL_STATE);
    assert_int_equal(strlen(console_hears("")), CHANNEL_ENTRIES);
    assert_int_equal(type_for(1, "y", 1, 200), CONTROL_OK);
    assert_string_equal(console_hears(""), "y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consoles_are_seen),
        cmocka_unit_test(consoles_are_typed_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
