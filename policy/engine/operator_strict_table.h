#ifndef POLICY_ENGINE_OPERATOR_STRICT_TABLE_H
#define POLICY_ENGINE_OPERATOR_STRICT_TABLE_H

/* Every operator, with arguments around each other. */
static const char *const calls[] = {
    "OMIT", "PASS", "EXISTS", "EQ", "COUNT(1)", "COUNT(2)", "COUNT(3)",
    "CMP(<,std.dibao)", "CMP(<=,std.dibao)", "CMP(>,std.dibao)", "CMP(>=,std.dibao)",
    "CMP(<,std.edge)", "CMP(>=,std.edge)", "CMP(<=,std.edge)",
    "CMP(<,area.mean)", "CMP(>=,area.mean)", "CMP(<=,area.mean)", "CMP(>,area.mean)",
    "IN(severe)", "IN(local)", "BUCKET(fine)", "BUCKET(coarse)", "BUCKET(other)",
    "BUCKET(hundreds)", "ROUND(2,floor)", "ROUND(100,floor)", "ROUND(500,floor)",
    "ROUND(100,half_even)", "ROUND(500,half_even)", "TOPCODE(std.dibao)", "TOPCODE(std.edge)",
    "TOPCODE(area.mean)", "BOTTOMCODE(std.dibao)", "BOTTOMCODE(std.edge)",
    "SHARE(0)", "SHARE(12)",
    "SUM(0)", "SUM(1)", "SUM(12)", "SUM(13)", "AVG_M(1)", "AVG_M(12)", "AVG_M(13)",
    "RATIO_CMP(<,share)", "RATIO_CMP(<=,share)", "RATIO_CMP(>,share)", "RATIO_CMP(>=,share)",
    "RATIO_CMP(<,whole)", "TREND(1,fall)", "TREND(6,fall)", "TREND(6,share)",
    "DATE_TRUNC(Y)", "DATE_TRUNC(M)", "AGE_AT(today)", "AGE_AT(2026-07-15)", "AGE_AT(2020-01-01)",
    "AGE_GE(age.old)", "AGE_GE(age.child)", "MASK(0,0)", "MASK(1,0)", "MASK(2,0)", "MASK(0,1)",
    "MASK(0,2)", "MASK(1,1)", "MASK(3,4)", "NAME_MASK", "ID_MASK", "PHONE_MASK",
    "ADDR_LEVEL(2)", "ADDR_LEVEL(4)", "ADDR_LEVEL(6)", "ADDR_LEVEL(9)", "ADDR_LEVEL(12)",
    "MAP(level)", "PSEUDO", "TOKEN(1)", "TOKEN(30)", "LIST",
};

#define NUM_CALLS (sizeof(calls) / sizeof(calls[0]))

/* All that is true among them: what stands on the left may be asked where the right is allowed.
 * Besides, each is as strict as itself, and OMIT as all. A '*' at the end stands for any rest. */
static const struct {
    const char *of;
    const char *stricter;  /* separated by blanks */
} allowed[] = {
    {"PASS", "EQ CMP* IN* BUCKET* ROUND* TOPCODE* BOTTOMCODE* DATE_TRUNC* AGE_AT* AGE_GE* MASK* "
             "NAME_MASK ID_MASK PHONE_MASK ADDR_LEVEL* MAP*"},
    {"LIST", "PASS EQ MASK* PHONE_MASK"},
    {"EXISTS", "COUNT(1)"},
    {"COUNT(1)", "EXISTS"},
    {"COUNT(2)", "EXISTS COUNT(1)"},
    {"COUNT(3)", "EXISTS COUNT(1) COUNT(2)"},
    {"CMP(<,std.dibao)", "CMP(>=,std.dibao)"},
    {"CMP(>=,std.dibao)", "CMP(<,std.dibao)"},
    {"CMP(<=,std.dibao)", "CMP(>,std.dibao)"},
    {"CMP(>,std.dibao)", "CMP(<=,std.dibao)"},
    {"CMP(<,std.edge)", "CMP(>=,std.edge)"},
    {"CMP(>=,std.edge)", "CMP(<,std.edge)"},
    {"CMP(<,area.mean)", "CMP(>=,area.mean)"},
    {"CMP(>=,area.mean)", "CMP(<,area.mean)"},
    {"CMP(<=,area.mean)", "CMP(>,area.mean)"},
    {"CMP(>,area.mean)", "CMP(<=,area.mean)"},
    {"BUCKET(fine)", "CMP(<,* CMP(>=,* BUCKET(coarse)"},
    {"BUCKET(coarse)", "CMP(<,std.dibao) CMP(>=,std.dibao)"},
    {"BUCKET(other)", "CMP(<,std.dibao) CMP(>=,std.dibao)"},
    {"BUCKET(hundreds)", "CMP(<,std.dibao) CMP(>=,std.dibao) BUCKET(coarse)"},
    {"ROUND(2,floor)", "CMP(<,std* CMP(>=,std* CMP(<=,area.mean) CMP(>,area.mean) BUCKET(coarse) "
                       "BUCKET(hundreds) ROUND(100,floor) ROUND(500,floor)"},
    {"ROUND(100,floor)", "CMP(<,std* CMP(>=,std* BUCKET(coarse) BUCKET(hundreds) "
                         "ROUND(500,floor)"},
    {"ROUND(500,floor)", "CMP(<,std* CMP(>=,std* BUCKET(coarse)"},
    {"TOPCODE(std.dibao)", "CMP(<,std.dibao) CMP(>=,std.dibao) CMP(<,area* CMP(<=,area* "
                           "CMP(>,area* CMP(>=,area* BUCKET(coarse) BUCKET(other) "
                           "BUCKET(hundreds) TOPCODE(area.mean)"},
    {"TOPCODE(std.edge)", "CMP(<,* CMP(>* CMP(<=,std.dibao) CMP(<=,area.mean) BUCKET* "
                          "TOPCODE(std.dibao) TOPCODE(area.mean)"},
    {"TOPCODE(area.mean)", "CMP(<,area.mean) CMP(>=,area.mean)"},
    {"BOTTOMCODE(std.dibao)", "CMP(<=,std.dibao) CMP(>,std.dibao) CMP(<,std.edge) "
                              "CMP(>=,std.edge) CMP(<=,std.edge) BOTTOMCODE(std.edge)"},
    {"BOTTOMCODE(std.edge)", "CMP(<=,std.edge)"},
    {"SUM(1)", "AVG_M(1)"},
    {"SUM(12)", "AVG_M(12)"},
    {"SUM(13)", "AVG_M(13)"},
    {"RATIO_CMP(<,share)", "RATIO_CMP(>=,share)"},
    {"RATIO_CMP(>=,share)", "RATIO_CMP(<,share)"},
    {"RATIO_CMP(<=,share)", "RATIO_CMP(>,share)"},
    {"RATIO_CMP(>,share)", "RATIO_CMP(<=,share)"},
    {"DATE_TRUNC(M)", "DATE_TRUNC(Y)"},
    {"AGE_AT(today)", "AGE_GE*"},
    {"MASK(1,0)", "MASK(0,0)"},
    {"MASK(2,0)", "MASK(0,0) MASK(1,0)"},
    {"MASK(0,1)", "MASK(0,0)"},
    {"MASK(0,2)", "MASK(0,0) MASK(0,1)"},
    {"MASK(1,1)", "MASK(0,0) MASK(1,0)"},
    {"MASK(3,4)", "MASK(0,0) MASK(1,0)"},
};

#define NUM_ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

#endif
