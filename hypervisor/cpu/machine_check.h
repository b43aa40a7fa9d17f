/* SPDX-License-Identifier: BSD-2-Clause */
/* R44. */
#ifndef CPU_MACHINE_CHECK_H
#define CPU_MACHINE_CHECK_H

/* Reports the banks; panics when MCG_STATUS or a bank says that nothing may be resumed. */
void machine_check(void);

#endif
