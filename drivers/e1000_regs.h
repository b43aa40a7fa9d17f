/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers and descriptors of the card in e1000.c, which says where they are specified. */
#pragma once

#include <stdint.h>

/* Registers (13.4; 82574: 10.2), by what they are about. IVAR and EITR are the 82574's alone. */
enum reg { CTRL = 0x0000, STATUS = 0x0008, MPC = 0x4010 };
enum flow_reg { FCAL = 0x0028, FCAH = 0x002c, FCT = 0x0030, FCTTV = 0x0170 };
enum interrupt_reg { ICR = 0xc0, ITR = 0xc4, IMS = 0xd0, IMC = 0xd8, IVAR = 0xe4, EITR = 0xe8 };
enum receive_reg { RCTL = 0x0100, RXCSUM = 0x5000, MTA = 0x5200, RAL = 0x5400, RAH = 0x5404 };
enum rx_ring { RDBAL = 0x2800, RDBAH = 0x2804, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818 };
enum transmit_reg { TCTL = 0x0400, TIPG = 0x0410, TXDCTL = 0x3828 };
enum tx_ring { TDBAL = 0x3800, TDBAH = 0x3804, TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818 };

#define WINDOW 0x6000u /* bytes of them that are needed */

#define MTA_WORDS 128u

#define CTRL_MASTER_DISABLE (1u << 2) /* 82574 */
#define CTRL_SLU            (1u << 6)
#define CTRL_FORCED         (3u << 11) /* FRCSPD, FRCDPLX */
#define CTRL_RST            (1u << 26)
#define CTRL_FLOW           (3u << 27) /* RFCE, TFCE */
#define STATUS_LU           (1u << 1)
#define STATUS_MASTER       (1u << 19) /* 82574 */
#define TXDCTL_82574        (1u << 22) /* has to be 1 */
#define RAH_AV              (1u << 31)
#define RCTL_SETUP          0x04008018u /* UPE, MPE, BAM, SECRC; buffers of 2048 bytes */
#define RCTL_EN             (1u << 1)
#define TCTL_SETUP          0x000400fau /* EN, PSP, CT 15, COLD 40h */
#define IVAR_ALL            0x80088888u /* everything by vector 0 */

/* Interrupts' causes: those of the 82574 are for MSI-X. */
#define CAUSES_82574   0x01f00000u
#define CAUSE_SENT     (1u << 0 | 1u << 22)
#define CAUSE_LINK     (1u << 2)
#define CAUSE_RECEIVED (1u << 7 | 1u << 4 | 1u << 20)
#define CAUSE_OTHER    (1u << 24)

struct rx { /* 3.2.3 */
    uint64_t address;
    uint16_t length, checksum;
    uint8_t status, errors;
    uint16_t special;
};

#define RX_DD        0x01u
#define RX_EOP       0x02u
#define RX_IXSM      0x04u
#define RX_TCPCS     0x20u
#define RX_TCPE      0x20u
#define RX_IPE       0x40u
#define RX_FRAME_BAD 0x97u /* CE, SE, SEQ, CXE, RXE */

struct tx { /* 3.3.6, 3.3.7: a context, or data */
    uint64_t low, high;
};

#define TX_DATA      (1ULL << 20)
#define TX_EOP       (1ULL << 24)
#define TX_IFCS      (1ULL << 25)
#define TX_TSE       (1ULL << 26)
#define TX_RS        (1ULL << 27)
#define TX_DEXT      (1ULL << 29)
#define TX_DD        (1ULL << 32)
#define TX_IXSM      (1ULL << 40)
#define TX_TXSM      (1ULL << 41)
#define CONTEXT_TCP  (1ULL << 24)
#define CONTEXT_IPV4 (1ULL << 25)
#define CONTEXT_MOST 255u /* its places in a frame */

_Static_assert(sizeof(struct rx) == 16 && sizeof(struct tx) == 16, "3.2.3, 3.3.6");
