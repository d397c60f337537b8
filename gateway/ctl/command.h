#ifndef GATEWAY_CTL_COMMAND_H
#define GATEWAY_CTL_COMMAND_H

#include "gateway/ctl/env.h"

/*
 * The commands of `lianban` that live in this folder. Each takes argv from its own name on, prints
 * results to env->out and everything else to env->err, and returns an exit code of enum
 * lb_ctl_exit; --help tells the options. They may be called again in one process, not from two
 * threads at once (getopt).
 */
int lb_ctl_apply_command(struct lb_ctl_env *env, int argc, char **argv);
/* case list | show | resume | watch | fact | hear | decide | correct | corrected | letter |
 * records | verify | submit | supplement | withdraw | retry | overdue | figures | close |
 * attest */
int lb_ctl_case_command(struct lb_ctl_env *env, int argc, char **argv);
/* consent notice | pending | confirm | refuse | revoke | suspend | resume | slip | show |
 * withdraw | record | emergency | due | close */
int lb_ctl_consent_command(struct lb_ctl_env *env, int argc, char **argv);
/* event run, list */
int lb_ctl_event_command(struct lb_ctl_env *env, int argc, char **argv);
/* recheck run */
int lb_ctl_recheck_command(struct lb_ctl_env *env, int argc, char **argv);
/* psi offer | answer | finish | show */
int lb_ctl_psi_command(struct lb_ctl_env *env, int argc, char **argv);
/* grant stop */
int lb_ctl_grant_command(struct lb_ctl_env *env, int argc, char **argv);
/* access serve | conceal | approve | reveal | list */
int lb_ctl_access_command(struct lb_ctl_env *env, int argc, char **argv);
/* who-saw */
int lb_ctl_who_saw_command(struct lb_ctl_env *env, int argc, char **argv);
/* log verify | list | erase | export | prove | reconcile | index | query | ... */
int lb_ctl_log_command(struct lb_ctl_env *env, int argc, char **argv);
/* review check | scan | list | show | assign | explain | close | sample | verify */
int lb_ctl_review_command(struct lb_ctl_env *env, int argc, char **argv);
/* intake list | next | show | ack | export | accept | return | ask | decide | withdrawn |
 * correct */
int lb_ctl_intake_command(struct lb_ctl_env *env, int argc, char **argv);
/* adapter init */
int lb_ctl_adapter_command(struct lb_ctl_env *env, int argc, char **argv);
/* drill check | start | stop | show | report */
int lb_ctl_drill_command(struct lb_ctl_env *env, int argc, char **argv);
/* backup make | check; options without a word are those of make */
int lb_ctl_backup_command(struct lb_ctl_env *env, int argc, char **argv);
/* upgrade check */
int lb_ctl_upgrade_command(struct lb_ctl_env *env, int argc, char **argv);
/* view check | explain | close | open | closed | open-token | token-key */
int lb_ctl_view_command(struct lb_ctl_env *env, int argc, char **argv);
/* form check | notice | print | table */
int lb_ctl_form_command(struct lb_ctl_env *env, int argc, char **argv);
/* policy calculate | list | show | questions | check */
int lb_ctl_policy_command(struct lb_ctl_env *env, int argc, char **argv);
/* conformance */
int lb_ctl_conformance_command(struct lb_ctl_env *env, int argc, char **argv);
/* rules check */
int lb_ctl_rules_command(struct lb_ctl_env *env, int argc, char **argv);

/* node seen | recover draft | show | sign | begin */
int lb_ctl_node_command(struct lb_ctl_env *env, int argc, char **argv);
/* doctor */
int lb_ctl_doctor_command(struct lb_ctl_env *env, int argc, char **argv);
/* status */
int lb_ctl_status_command(struct lb_ctl_env *env, int argc, char **argv);

/* Words of one command that have a file of their own. */
int lb_ctl_log_verify(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_view_open_token(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_view_token_key(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_export(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_prove(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_check_proof(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_list(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_erase(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_reconcile(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_index(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_shard(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_query(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_txn(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_status(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_did(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_denials(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_emergencies(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_admin(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_totals(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_first_use(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_repeats(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_erasures(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_log_report(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_list(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_fact(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_hear(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_decide(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_correct(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_corrected(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_figures(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_letter(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_records(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_verify(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_submit(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_supplement(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_withdraw(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_retry(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_overdue(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_case_attest(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_access_serve(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_view_explain(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_view_close(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_view_open(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_view_closed(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_form_notice(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_form_print(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_form_table(struct lb_ctl_env *env, int argc, char **argv);

#endif
