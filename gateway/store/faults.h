#ifndef GATEWAY_STORE_FAULTS_H
#define GATEWAY_STORE_FAULTS_H

#include <stdbool.h>

/*
 * For tests: a layer under SQLite that passes every call on to the file system, but for the calls
 * that a plan names. It holds for every store opened after faults_install in this process.
 */
enum faults_call { FAULTS_READ, FAULTS_WRITE, FAULTS_SYNC, FAULTS_TRUNCATE, FAULTS_OPEN };

enum faults_answer {
    FAULTS_FULL,       /* no space left, and nothing is done */
    FAULTS_IO,         /* an I/O error, and nothing is done */
    FAULTS_IO_DONE,    /* an I/O error, though it was done */
    FAULTS_KILL,       /* the process dies before it is done, */
    FAULTS_KILL_TORN,  /* when half of a write is done, */
    FAULTS_KILL_DONE,  /* or after it was done */
};

struct faults_plan {
    enum faults_call call;
    enum faults_answer answer;
    const char *suffix;  /* of the file's name, such as ".db" or "-wal"; borrowed */
    unsigned from;       /* the first such call that fails, counted from 1 when the plan is set */
    unsigned num;        /* how many fail; 0 for all from there on */
};

/* faults_install puts the layer under SQLite; once for each process. */
void faults_install(void);
/* faults_set makes a plan hold, from any thread; NULL lets everything pass. */
void faults_set(const struct faults_plan *plan);
/* faults_hits is how many calls have failed since the plan was set. */
unsigned faults_hits(void);
/* faults_synced is how long the plan's file was when it was last synced; 0 when it was not since
 * the plan was set. */
long faults_synced(void);

#endif
