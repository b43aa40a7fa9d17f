/* SPDX-License-Identifier: BSD-2-Clause */
/* An IOAPIC's registers and the messages that it sends, as MSIs do (82093AA data sheet; SDM volume
 * 3, "Message Signalled Interrupts"). */
#pragma once

/* In memory: an index, and the register of this index. */
#define IOAPIC_INDEX 0x00
#define IOAPIC_DATA  0x10

#define IOAPIC_VERSION     0x01
#define IOAPIC_REDIRECTION 0x10 /* two for each input, the low half first */

#define REDIRECTION_VECTOR      0xffULL
#define REDIRECTION_DELIVERY    0x700ULL
#define REDIRECTION_LOGICAL     (1ULL << 11)
#define REDIRECTION_SENDING     (1ULL << 12) /* no local APIC has taken it yet */
#define REDIRECTION_ACTIVE_LOW  (1ULL << 13)
#define REDIRECTION_REMOTE_IRR  (1ULL << 14)
#define REDIRECTION_LEVEL       (1ULL << 15)
#define REDIRECTION_MASKED      (1ULL << 16)
#define REDIRECTION_DESTINATION 56

#define MESSAGE_ADDRESS     0xfee00000u
#define MESSAGE_DESTINATION 12
#define MESSAGE_HINT        (1ULL << 3)
#define MESSAGE_LOGICAL     (1ULL << 2)
#define MESSAGE_ASSERT      (1u << 14)
#define MESSAGE_LEVEL       (1u << 15)
