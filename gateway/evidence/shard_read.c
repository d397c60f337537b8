#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/shards.h"

/* What a reader asks of a log whose entries lie in more files than one. */

const char *lb_log_reader_trouble(const struct lb_log_reader *reader)
{
    return lb_shards_trouble(reader->records.shards);
}

lb_status lb_reader_find_detail(struct lb_log_reader *reader, uint64_t index,
                                struct lb_stmt **out_stmt)
{
    bool row = false;
    lb_status status = lb_stmt_bind_int(reader->get_detail, 1, (int64_t)index);
    if (status == LB_OK)
        status = lb_stmt_step(reader->get_detail, &row);
    if (status == LB_OK && row) {
        *out_stmt = reader->get_detail;
        return LB_OK;
    }
    lb_stmt_reset(reader->get_detail);
    LB_TRY(status);
    return lb_shards_detail(reader->records.shards, index, out_stmt);
}
