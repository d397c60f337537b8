#include <stdlib.h>

#include "gateway/ctl/doctor.h"

/* This machine's clock against those of the peers it reached. Grants, tokens and sealed requests
 * are refused when two clocks are more than LB_CLOCK_SKEW_S apart. */

#define NOTE_MS LB_RECONCILE_SKEW_MS
#define BAD_MS (LB_CLOCK_SKEW_S * 1000 / 2)

static const struct lb_doctor_advice own_clock = {
    LB_DOCTOR_NETWORK,
    "本机时钟与各对方相差过大",
    "this machine's clock is off from its peers'",
    "在本机校时（NTP：chronyc/timedatectl），并检查到时间服务器的网络；节点停止的，校时后重启",
    "set this machine's clock (NTP: chronyc, timedatectl) and check the way to the time server; "
    "a node that stopped is restarted then",
};
static const struct lb_doctor_advice one_clock = {
    LB_DOCTOR_NETWORK,
    "本机与唯一可比的对方时钟不一致，有一方不准",
    "this clock and that of the only peer reached differ: one of them is wrong",
    "先与国家授时（NTP）核对本机；本机无误则请对方校时",
    "compare this machine with national time (NTP) first; if it is right, the other side must "
    "set its own",
};
static const struct lb_doctor_advice their_clock = {
    LB_DOCTOR_PEER,
    "对方时钟不准，与多数节点不一致",
    "the peer's clock is off: the other nodes agree with this one",
    "请对方校时",
    "have the other side set its clock",
};
static const struct lb_doctor_advice no_clock = {
    LB_DOCTOR_NETWORK,
    "没有可比对的对方，无法核对本机时钟",
    "no peer could be asked: this machine's clock is not compared",
    "先恢复与对方的连接，或用 NTP 核对本机时间",
    "restore a connection first, or compare this machine with NTP",
};

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* How far this clock is from the one in the middle. Of an even number of peers none is in the
 * middle; this clock makes them odd, so that two against one decide. */
static int64_t middle_of(const struct lb_doctor *doctor)
{
    int64_t sorted[LB_DOCTOR_MAX_PEERS + 1];
    size_t num = doctor->num_clocks;
    memcpy(sorted, doctor->offsets_ms, num * sizeof(sorted[0]));
    if (num % 2 == 0)
        sorted[num++] = 0;
    qsort(sorted, num, sizeof(sorted[0]), by_size);
    return sorted[num / 2];
}

static enum lb_doctor_state how_bad(int64_t offset_ms)
{
    if (llabs(offset_ms) > BAD_MS)
        return LB_DOCTOR_BAD;
    return llabs(offset_ms) > NOTE_MS ? LB_DOCTOR_WARN : LB_DOCTOR_OK;
}

static const char *offset_text(struct lb_doctor *doctor, int64_t offset_ms)
{
    return lb_doctor_text(doctor, "%+lld ms", (long long)offset_ms);
}

static void judge_own(struct lb_doctor *doctor, int64_t middle)
{
    enum lb_doctor_state state = how_bad(middle);
    const char *value = offset_text(doctor, middle);
    if (state == LB_DOCTOR_OK)
        lb_doctor_good(doctor, "clock", NULL, value);
    else
        lb_doctor_find(doctor, state, "clock", doctor->num_clocks == 1 ? doctor->clock_of[0] : NULL,
                       doctor->num_clocks == 1 ? &one_clock : &own_clock, value);
}

void lb_doctor_judge_clocks(struct lb_doctor *doctor)
{
    if (doctor->num_clocks == 0) {
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "clock", NULL, &no_clock, NULL);
        return;
    }
    int64_t middle = middle_of(doctor);
    judge_own(doctor, middle);
    for (size_t i = 0; i < doctor->num_clocks && doctor->num_clocks > 1; i++) {
        enum lb_doctor_state state = how_bad(doctor->offsets_ms[i] - middle);
        if (state != LB_DOCTOR_OK)
            lb_doctor_find(doctor, state, "peer-clock", doctor->clock_of[i], &their_clock,
                           offset_text(doctor, middle - doctor->offsets_ms[i]));
    }
}
