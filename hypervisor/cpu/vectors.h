/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors of exceptions: SDM volume 3, "Exception and Interrupt Vectors". */
#ifndef CPU_VECTORS_H
#define CPU_VECTORS_H

enum exception_vector {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_BP = 3,
    VECTOR_OF = 4,
    VECTOR_BR = 5,
    VECTOR_UD = 6,
    VECTOR_NM = 7,
    VECTOR_DF = 8,
    VECTOR_TS = 10,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_MF = 16,
    VECTOR_AC = 17,
    VECTOR_MC = 18,
    VECTOR_XM = 19,
    VECTOR_VE = 20,
    VECTOR_CP = 21,
};

#endif
