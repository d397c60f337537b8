#include "gateway/wire/count.h"

#define LENGTH_DELIMITED 2U

struct reader {
    struct lb_span bytes;
    size_t at;
};

static bool varint(struct reader *reader, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->bytes.len; shift += 7) {
        uint8_t byte = reader->bytes.ptr[reader->at++];
        value |= (uint64_t)(byte & 0x7fU) << shift;
        if ((byte & 0x80U) == 0) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool skip(struct reader *reader, uint64_t num)
{
    if (num > reader->bytes.len - reader->at)
        return false;
    reader->at += (size_t)num;
    return true;
}

static bool skip_value(struct reader *reader, unsigned type)
{
    uint64_t value = 0;
    switch (type) {
    case 0:
        return varint(reader, &value);
    case 1:
        return skip(reader, 8);
    case LENGTH_DELIMITED:
        return varint(reader, &value) && skip(reader, value);
    case 5:
        return skip(reader, 4);
    default:
        return false;
    }
}

size_t lb_pb_count(struct lb_span bytes, unsigned field)
{
    struct reader reader = {.bytes = bytes};
    uint64_t tag = 0;
    size_t num = 0;
    while (varint(&reader, &tag) && skip_value(&reader, (unsigned)(tag & 7U)))
        num += tag == ((uint64_t)field << 3 | LENGTH_DELIMITED);
    return num;
}
