/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests/cet.c and its assembly share. */
#pragma once

#define MSR_IA32_U_CET 0x6a0
#define MSR_IA32_S_CET 0x6a2

/* Of both. */
#define CET_SHADOW_STACK 0x001
#define CET_ENDBRANCH    0x004
#define CET_NO_TRACK     0x010
#define CET_TRACKER      0x800

#define CET_FAULT      0x100 /* of cet_run's result: #CP, with the error code below */
#define CP_NEAR_RETURN 1
#define CP_ENDBRANCH   3

#define CET_DEVICE 0xd0000000
