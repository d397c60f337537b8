#ifndef GATEWAY_REGISTER_INSIDE_H
#define GATEWAY_REGISTER_INSIDE_H

#include <pthread.h>

#include "gateway/register/register.h"
#include "gateway/store/store.h"

/* Inside gateway/register. */
struct lb_register {
    pthread_mutex_t lock;    /* the store is used by one thread at a time */
    struct lb_store *store;
};

#endif
