#ifndef ADAPTERS_API_POWERS_H
#define ADAPTERS_API_POWERS_H

/*
 * What an account could do besides reading, asked of the DBMS itself: each row of these queries is
 * a power that the account has, in words that go on from "the database account", and none is what
 * is wanted. Through a role that it could take on a power counts as well.
 */
extern const char lb_source_postgres_powers[];
extern const char lb_source_mariadb_powers[];

#endif
