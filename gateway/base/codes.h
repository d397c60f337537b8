#ifndef GATEWAY_BASE_CODES_H
#define GATEWAY_BASE_CODES_H

/*
 * Every named code of the system, in one list.
 *
 * A code is what the person on the other end acts on; its name is part of the wire contract
 * (docs/PROTOCOL.md) and never changes meaning. Scope says who may learn it:
 *
 *   OUTER  decidable without the subject; shown to the broker, in the leaf and in the gRPC status
 *   INNER  depends on the subject or the department's data; only inside the sealed answer and the
 *          encrypted detail, while leaf and gRPC status say ANSWERED
 *   LOCAL  never leaves the process that made it, except as INTERNAL
 *
 * Columns: name, canonical gRPC code, scope, what to do (English), the same in Chinese.
 * These sentences are all that a peer gets; they name no path, key, person or data set.
 */
#define LB_CODES(X)                                                                                \
    /* transport and capacity */                                                                   \
    X(INTERNAL, INTERNAL, OUTER,                                                                   \
      "The service failed; its operator has been told. Try again later.",                          \
      "服务内部出错，已通知运行方，请稍后再试。")                                                  \
    X(MALFORMED, INVALID_ARGUMENT, OUTER, "The message does not follow the protocol.",             \
      "报文不符合协议。")                                                                          \
    X(TOO_LARGE, RESOURCE_EXHAUSTED, OUTER, "The message is larger than allowed.",                 \
      "报文超过允许的大小。")                                                                      \
    X(BUSY, RESOURCE_EXHAUSTED, OUTER, "Too much work is in hand; try again shortly.",             \
      "当前业务繁忙，请稍候再试。")                                                                \
    X(NO_METHOD, UNIMPLEMENTED, OUTER, "There is no such method.", "没有这个方法。")               \
    X(VERSION_UNSUPPORTED, FAILED_PRECONDITION, OUTER,                                             \
      "The other side speaks a version this one does not; upgrade the older.",                     \
      "双方协议版本不一致，请升级较旧的一方。")                                                    \
    X(DEADLINE, DEADLINE_EXCEEDED, OUTER, "The answer did not come in time.", "未在时限内答复。")  \
    X(CANCELLED, CANCELLED, OUTER, "The request was cancelled.", "请求已取消。")                   \
    X(UNAVAILABLE, UNAVAILABLE, OUTER, "The service cannot be reached now; try again later.",      \
      "暂时联系不上该服务，请稍后再试。")                                                          \
    X(STOPPING, UNAVAILABLE, OUTER, "The service is stopping; try again shortly.",                 \
      "服务正在停止，请稍候再试。")                                                                \
    /* who is calling */                                                                           \
    X(PEER_UNVERIFIED, UNAUTHENTICATED, OUTER,                                                     \
      "The certificate is not valid in this federation.", "证书在本联盟内无效。")                  \
    X(PEER_EXPIRED, UNAUTHENTICATED, OUTER, "The certificate has expired; renew it.",              \
      "证书已过期，请更新。")                                                                      \
    X(PEER_REVOKED, UNAUTHENTICATED, OUTER, "The certificate is revoked.", "证书已被吊销。")       \
    X(CRL_STALE, UNAVAILABLE, OUTER, "No current revocation list; nobody can be checked.",         \
      "缺少有效的证书吊销列表，无法核验任何一方。")                                                \
    X(PEER_UNLISTED, PERMISSION_DENIED, OUTER, "The caller is not in the directory.",              \
      "调用方不在成员目录中。")                                                                    \
    X(ROLE_NOT_ALLOWED, PERMISSION_DENIED, OUTER, "This kind of member may not call this method.", \
      "该类成员不得调用此方法。")                                                                  \
    X(AGENT_SECRET_WRONG, UNAUTHENTICATED, OUTER,                                                  \
      "The window system's secret is missing or wrong.", "窗口系统的访问口令缺失或不正确。")       \
    X(BROWSER_REFUSED, PERMISSION_DENIED, OUTER,                                                   \
      "The agent answers programs on its own machine, not browsers or other hosts.",               \
      "窗口代理只答复本机程序，不答复浏览器或其他主机。")                                          \
    X(OPERATOR_TOKEN_INVALID, UNAUTHENTICATED, OUTER, "The operator's token is not valid.",        \
      "经办人令牌无效。")                                                                          \
    X(OPERATOR_TOKEN_EXPIRED, UNAUTHENTICATED, OUTER, "The operator must sign in again.",          \
      "经办人登录已过期，请重新登录。")                                                            \
    X(BADGE_UNKNOWN, PERMISSION_DENIED, OUTER,                                                     \
      "The operator is not in the register of this unit.", "经办人不在本单位名册中。")             \
    X(BADGE_SUSPENDED, PERMISSION_DENIED, OUTER, "The operator is suspended.",                     \
      "经办人已被停用。")                                                                          \
    X(BADGE_EXPIRED, PERMISSION_DENIED, OUTER,                                                     \
      "The operator's registration is not valid now; renew it.",                                   \
      "经办人登记不在有效期内，请续期。")                                                          \
    X(DEVICE_UNPROVEN, UNAUTHENTICATED, OUTER,                                                     \
      "The operator's device has not proved its key; sign in at that device.",                     \
      "经办人设备未证明其密钥，请在该设备上登录。")                                                \
    /* trust material */                                                                           \
    X(DIRECTORY_INVALID, FAILED_PRECONDITION, OUTER, "The directory cannot be verified.",          \
      "成员目录无法通过验证。")                                                                    \
    X(DIRECTORY_ROLLBACK, FAILED_PRECONDITION, OUTER,                                              \
      "The directory is older than one already accepted.", "成员目录比已接受的版本旧。")           \
    X(KEY_CHANGED, FAILED_PRECONDITION, OUTER,                                                     \
      "A member's key changed without its own confirmation.", "成员密钥变更未经其本人确认。")      \
    X(FORM_UNKNOWN, NOT_FOUND, OUTER, "There is no such form, version or hash.",                   \
      "没有这个表单、版本或摘要。")                                                                \
    X(FORM_INERT, PERMISSION_DENIED, OUTER, "The provider has not yet accepted this form.",        \
      "数据提供部门尚未认可该表单。")                                                              \
    X(ISSUER_UNKNOWN, PERMISSION_DENIED, OUTER, "The grant's issuer is not a known one.",          \
      "授权签发方不在名录中。")                                                                    \
    X(ISSUER_INERT, PERMISSION_DENIED, OUTER, "The provider has not yet accepted this issuer.",    \
      "数据提供部门尚未认可该签发方。")                                                            \
    /* the grant */                                                                                \
    X(GRANT_MALFORMED, INVALID_ARGUMENT, OUTER, "The grant does not follow its format.",           \
      "授权书格式不正确。")                                                                        \
    X(SIGNATURE_INVALID, PERMISSION_DENIED, OUTER, "A signature does not verify.",                 \
      "签名验证不通过。")                                                                          \
    X(SELF_CONSENT, PERMISSION_DENIED, OUTER,                                                      \
      "Consent must come from a consent office, not from the requester.",                          \
      "同意必须由同意服务机构签发，不能由请求方自行签发。")                                        \
    X(GRANT_EXPIRED, PERMISSION_DENIED, OUTER, "The grant has expired; ask the citizen again.",    \
      "授权已过期，请重新征得本人同意。")                                                          \
    X(GRANT_NOT_YET_VALID, PERMISSION_DENIED, OUTER, "The grant is not valid yet.",                \
      "授权尚未生效。")                                                                            \
    X(GRANT_BEFORE_RECOVERY, PERMISSION_DENIED, OUTER,                                             \
      "The department lost its memory of what was used before; ask the citizen for a new grant.",  \
      "部门曾丢失授权使用记录，此前签发的授权不再接受，请重新征得本人同意。")                      \
    X(GRANT_REVOKED, PERMISSION_DENIED, OUTER, "The citizen has withdrawn the grant.",             \
      "本人已撤回授权。")                                                                          \
    X(GRANT_SUSPENDED, PERMISSION_DENIED, OUTER, "The grant is suspended.", "授权已暂停。")        \
    X(STATUS_STALE, UNAVAILABLE, OUTER, "The grant's status cannot be checked now.",               \
      "暂时无法核验授权状态。")                                                                    \
    X(STATUS_FORK, FAILED_PRECONDITION, OUTER, "Two different status lists carry one number.",     \
      "同一序号出现两份不同的授权状态列表。")                                                      \
    X(WRONG_REQUESTER, PERMISSION_DENIED, OUTER, "The grant was given to another requester.",      \
      "该授权属于其他请求方。")                                                                    \
    X(WRONG_AUDIENCE, PERMISSION_DENIED, OUTER, "The grant is addressed to another department.",   \
      "该授权指向其他部门。")                                                                      \
    X(SECTION_INVALID, PERMISSION_DENIED, OUTER, "The section is not part of the grant.",          \
      "该部分不属于此授权。")                                                                      \
    X(NO_CASE, PERMISSION_DENIED, OUTER, "A request needs a case.", "查询必须对应办件。")          \
    X(BASIS_NOT_ALLOWED, PERMISSION_DENIED, OUTER, "The view does not allow this legal basis.",    \
      "该视图不接受此法律依据。")                                                                  \
    X(PURPOSE_NOT_ALLOWED, PERMISSION_DENIED, OUTER, "The view does not serve this purpose.",      \
      "该视图不服务于此目的。")                                                                    \
    X(REQUESTER_NOT_ALLOWED, PERMISSION_DENIED, OUTER, "The view does not serve this requester.",  \
      "该视图不向此请求方开放。")                                                                  \
    X(VIEW_UNKNOWN, PERMISSION_DENIED, OUTER, "The provider has no such view.",                    \
      "数据提供部门没有此视图。")                                                                  \
    X(FIELD_NOT_GRANTED, PERMISSION_DENIED, OUTER, "A field was asked that the grant lacks.",      \
      "请求了授权之外的字段。")                                                                    \
    X(FIELD_UNKNOWN, PERMISSION_DENIED, OUTER, "A field was asked that the view lacks.",           \
      "请求了视图中不存在的字段。")                                                                \
    X(OPERATOR_UNKNOWN, PERMISSION_DENIED, OUTER, "An unknown operator was asked.",                \
      "请求了未知的算子。")                                                                        \
    X(OPERATOR_TOO_WEAK, PERMISSION_DENIED, OUTER, "The view demands a stricter operator.",        \
      "视图要求更严格的算子。")                                                                    \
    X(LOA_LOW, PERMISSION_DENIED, OUTER, "The citizen's identity was proved too weakly.",          \
      "本人身份核验强度不足。")                                                                    \
    X(GIVER_NOT_ALLOWED, PERMISSION_DENIED, OUTER,                                                 \
      "The view does not accept that this person agreed for the subject.",                         \
      "该视图不接受由此人代为同意。")                                                              \
    X(APPROVER_MISSING, PERMISSION_DENIED, OUTER,                                                  \
      "This takes a second person's approval, and there is none that holds.",                 \
      "须经另一人批准，尚无有效批准。")                                                      \
    X(AGENT_EXPIRED, PERMISSION_DENIED, OUTER, "The agent's authorisation has run out.",           \
      "代办授权已过期。")                                                                          \
    X(AGENT_SCOPE, PERMISSION_DENIED, OUTER,                                                       \
      "The agent's authorisation does not cover this.", "代办授权不包括此项。")                    \
    X(EVENT_NOT_ALLOWED, PERMISSION_DENIED, OUTER,                                                 \
      "The view takes no standing grant for this trigger and interval, or nothing else.",          \
      "该视图不接受用于此事件、此间隔的长期授权，或者只接受长期授权。")                            \
    X(EVENT_TOO_LONG, PERMISSION_DENIED, OUTER,                                                    \
      "A standing grant lasts 366 days at most, with one use in each of its intervals.",           \
      "长期授权最长366天，每个间隔内只能使用一次。")                                               \
    X(EVENT_TOO_SOON, PERMISSION_DENIED, OUTER,                                                    \
      "The standing grant was used already within its interval; ask again when that is over.",     \
      "长期授权在本间隔内已经使用过，请待间隔期满后再查询。")                                      \
    X(USE_EXHAUSTED, PERMISSION_DENIED, OUTER, "The grant has been used as often as it allows.",   \
      "授权使用次数已满。")                                                                        \
    X(BUDGET_EXHAUSTED, RESOURCE_EXHAUSTED, OUTER,                                                 \
      "The department's budget for this requester or operator is used up; try again later.",       \
      "部门给该请求方或经办人的查询额度已用完，请稍后再试。")                                      \
    X(VIEW_CLOSED, UNAVAILABLE, OUTER,                                                             \
      "The department has closed this view, or closed it to this requester.",                      \
      "部门已停用该视图，或已停止向该请求方提供。")                                                \
    /* the sealed request */                                                                       \
    X(REPLAY, ALREADY_EXISTS, OUTER, "This very request was answered already.",                    \
      "该请求已处理过，不得重放。")                                                                \
    X(RETRY_EXHAUSTED, RESOURCE_EXHAUSTED, OUTER, "The request was repeated too often.",           \
      "同一请求重复次数过多。")                                                                    \
    X(REQUEST_CHANGED, PERMISSION_DENIED, OUTER, "A repeated request differs from its first.",     \
      "重复的请求与首次内容不一致。")                                                              \
    X(REQUEST_STALE, DEADLINE_EXCEEDED, OUTER, "The sealed request is too old; seal it anew.",     \
      "密封请求已过时，请重新密封。")                                                              \
    X(CONTEXT_UNKNOWN, FAILED_PRECONDITION, OUTER,                                                 \
      "The sealing context is gone; set up a new one.",                                            \
      "密封上下文已失效，请重新建立。")                                                            \
    X(KEY_RETIRED, FAILED_PRECONDITION, OUTER, "The sealing key was replaced; fetch the new one.", \
      "密封密钥已更换，请获取新密钥。")                                                            \
    X(SEAL_BROKEN, INVALID_ARGUMENT, OUTER, "The sealed request does not open.",                   \
      "密封请求无法打开。")                                                                        \
    /* parcels */                                                                                  \
    X(PARCEL_CHANGED, ALREADY_EXISTS, OUTER,                                                       \
      "Another content was received under this name; it stays as it was.",                         \
      "同名递送件的内容与已收到的不一致，以先收到的为准。")                                        \
    X(PARCEL_EXPIRED, DEADLINE_EXCEEDED, OUTER, "The parcel is past its end; send a new one.",     \
      "递送件已过期，请重新递送。")                                                                \
    X(PARCEL_UNKNOWN, NOT_FOUND, OUTER, "No such parcel was received or sent.",                    \
      "没有收到或发出过这份递送件。")                                                              \
    X(OUTBOX_FULL, RESOURCE_EXHAUSTED, OUTER,                                                      \
      "Too much is waiting to be delivered; keep the parcel and try again later.",                 \
      "待递送件过多，请保留并稍后再试。")                                                          \
    X(INTAKE_FULL, RESOURCE_EXHAUSTED, OUTER,                                                      \
      "The department has not taken what it got before; it is tried again.",                       \
      "受理部门尚未取走此前的递送件，系统将再次递送。")                                            \
    X(INTAKE_CLOSED, PERMISSION_DENIED, OUTER,                                                     \
      "The department takes in nothing of this form from this sender.",                            \
      "受理部门不接收该发送方的此类表单。")                                                        \
    X(PART_UNKNOWN, FAILED_PRECONDITION, OUTER, "The form has no such part, or not at this stage.",\
      "表单没有该部分，或当前阶段不适用。")                                                        \
    /* the blind household sum */                                                                  \
    X(SHARE_INERT, PERMISSION_DENIED, OUTER, "The provider has not yet accepted this sum.",        \
      "数据提供部门尚未认可该项合计。")                                                            \
    X(SHARE_SET, PERMISSION_DENIED, OUTER,                                                         \
      "The persons or fields named are not those the sum is about.",                               \
      "所列人员或字段与该项合计不符。")                                                            \
    X(SHARE_RUN, PERMISSION_DENIED, OUTER, "The sum's run is over, or was begun for another sum.", \
      "该轮合计已过期，或已用于其他合计。")                                                        \
    X(SHARE_PEER, UNAVAILABLE, OUTER,                                                              \
      "A department of this sum has no valid share key now; try again later.",                     \
      "参与合计的部门暂无有效的合计密钥，请稍后再试。")                                            \
    /* evidence */                                                                                 \
    X(LOG_UNAVAILABLE, UNAVAILABLE, OUTER, "Evidence cannot be written, so nothing is released.",  \
      "无法写入存证，因此不提供任何数据。")                                                        \
    X(LOG_FULL, UNAVAILABLE, OUTER,                                                                \
      "The disk of the evidence is nearly full, so nothing is released.",                          \
      "存证磁盘空间不足，因此不提供任何数据。")                                                    \
    X(LOG_FORK, DATA_LOSS, OUTER, "A log does not extend what it showed before.",                  \
      "存证日志与先前出示的不一致。")                                                              \
    X(ERASURE_NOT_ASKED, FAILED_PRECONDITION, OUTER,                                               \
      "No other officer has asked for this erasure on this basis in the last 7 days.",             \
      "最近七日内没有其他安全员以同一依据申请删除。")                                              \
    X(RETENTION_RUNS, FAILED_PRECONDITION, OUTER,                                                  \
      "The law still wants these records kept; only a court's order ends that.",                   \
      "法定保存期限未届满，除法院裁定外不得删除。")                                                \
    X(LOG_BEHIND, DATA_LOSS, OUTER, "A log is shorter than what it showed before.",                \
      "存证日志比先前出示的短。")                                                                  \
    X(LOG_UNWITNESSED, UNAVAILABLE, OUTER,                                                         \
      "No witness has vouched for the log for too long, so nothing is released.",                  \
      "存证日志长时间未获见证，因此不提供任何数据。")                                              \
    X(QUESTION_GONE, NOT_FOUND, OUTER, "Nobody waits for this answer any more.",                   \
      "已无人等待该答复。")                                                                        \
    X(RECEIPT_INVALID, DATA_LOSS, OUTER, "A receipt does not verify.", "回执验证不通过。")         \
    /* outcome of a read */                                                                        \
    X(ANSWERED, OK, OUTER, "Answered; the outcome is in the sealed answer.",                       \
      "已答复，结果在密封答复中。")                                                                \
    X(SUBJECT_MISMATCH, PERMISSION_DENIED, INNER, "The grant is about another person.",            \
      "该授权不是此人的。")                                                                        \
    X(ID_INVALID, INVALID_ARGUMENT, INNER, "The identity number is not a valid one.",              \
      "身份号码不符合校验规则。")                                                                  \
    X(GUARDIAN_NEEDED, PERMISSION_DENIED, INNER, "A guardian must agree for this person.",         \
      "此人须由监护人代为同意。")                                                                  \
    X(EVENT_ASKED, RESOURCE_EXHAUSTED, INNER,                                                      \
      "This person was asked about for the same trigger already, under another grant.",            \
      "本间隔内已凭另一份授权就同一事件查询过此人。")                                              \
    X(PROBE_LIMIT, RESOURCE_EXHAUSTED, INNER,                                                      \
      "Too much was asked about this person's field, or stated wrongly; a person decides.",        \
      "对此人该字段的比对过多或不符次数过多，请转人工办理。")                                      \
    X(NOT_FOUND, NOT_FOUND, INNER, "The department has no record.", "部门无此记录。")              \
    X(AMBIGUOUS, FAILED_PRECONDITION, INNER, "The department has more than one record.",           \
      "部门存在多条记录，无法唯一确定。")                                                          \
    X(STALE, FAILED_PRECONDITION, INNER, "The department's record is too old for this purpose.",   \
      "部门数据已超过时效要求。")                                                                  \
    X(DRY_RUN, FAILED_PRECONDITION, INNER,                                                         \
      "The department is only trying this rule out: nothing was released.",                        \
      "部门正在试运行该规则，未提供数据。")                                                        \
    X(SOURCE_UNAVAILABLE, UNAVAILABLE, INNER, "The department's database is out of reach.",        \
      "部门数据库暂不可用。")                                                                      \
    X(SOURCE_TIMEOUT, DEADLINE_EXCEEDED, INNER,                                                    \
      "The department's database did not answer in time.",                                         \
      "部门数据库未在时限内答复。")                                                                \
    X(SOURCE_CHANGED, FAILED_PRECONDITION, INNER,                                                  \
      "The department's tables or rights changed; it must look at its view again.",                \
      "部门数据表或权限已变更，须由部门核对视图。")                                                \
    X(SOURCE_MAINTENANCE, UNAVAILABLE, INNER,                                                      \
      "The department's database is under maintenance at this hour; ask again when it is over.",   \
      "部门数据库处于维护时段，请在维护结束后再查。")                                              \
    X(CODE_UNMAPPED, FAILED_PRECONDITION, INNER,                                                   \
      "The department's record has a code that its view has no word for; it must look.",           \
      "部门数据中有视图未登记的代码，须由部门核对。")                                              \
    X(STATION_AWAY, UNAVAILABLE, INNER,                                                            \
      "The department's security officer does not answer now; ask again later.",                   \
      "部门安全员暂无应答，请稍后再查。")                                                          \
    X(SHARE_REPEATED, PERMISSION_DENIED, INNER,                                                    \
      "This person's share of the run was given already.", "此人在本轮合计中的份额已经给出。")     \
    X(SHARE_HOUSEHOLD, PERMISSION_DENIED, INNER,                                                   \
      "This person was added up with other persons lately.", "此人近期已与其他人员合计。")         \
    X(SHARE_BUDGET, RESOURCE_EXHAUSTED, INNER, "This person was added up too often lately.",       \
      "此人近期参与合计的次数已满。")                                                              \
    /* cases and consent */                                                                        \
    X(CASE_UNKNOWN, NOT_FOUND, OUTER, "There is no such case.", "没有这个办件。")                  \
    X(CASE_STATE, FAILED_PRECONDITION, OUTER, "The case is not at that step.",                     \
      "办件当前状态不允许此操作。")                                                                \
    X(CASE_UNDECIDED, FAILED_PRECONDITION, OUTER,                                                  \
      "No class of the case stands yet; a person has to decide first.",                            \
      "办件尚无确定的类别，须先由工作人员作出决定。")                                              \
    X(FACT_ANSWERED, FAILED_PRECONDITION, OUTER,                                                   \
      "The department has answered this; ask it for a correction instead.",                        \
      "部门已答复此事项；如有错误，请申请更正。")                                                  \
    X(OTHER_DECIDER, PERMISSION_DENIED, OUTER,                                                     \
      "Who added a fact does not decide upon it; another operator decides.",                       \
      "补充事项的人不得自行决定，须由另一名经办人决定。")                                          \
    X(NOT_HEARD, FAILED_PRECONDITION, OUTER,                                                       \
      "The person must be heard before this decision; record the hearing first.",                  \
      "作出此决定前须听取本人意见，请先记录听取情况。")                                            \
    X(GRANT_UNKNOWN, NOT_FOUND, OUTER, "There is no such grant or request for one.",               \
      "没有这个授权或授权申请。")                                                                  \
    X(GRANT_PENDING, FAILED_PRECONDITION, OUTER, "The citizen has not yet agreed.",                \
      "本人尚未同意。")                                                                            \
    X(GRANT_REFUSED, PERMISSION_DENIED, OUTER, "The citizen refused.", "本人已拒绝。")             \
    X(PART_REFUSED, PERMISSION_DENIED, OUTER,                                                      \
      "The citizen refused this part; a person checks it instead.",                                \
      "本人拒绝了这一部分，转由工作人员核实。")                                                    \
    X(PARTY_MISSING, FAILED_PRECONDITION, OUTER,                                                   \
      "One more person has to agree; show that document too.",                                     \
      "还须另一人同意，请一并出示其证件。")                                                        \
    X(EMERGENCY_CAPPED, RESOURCE_EXHAUSTED, OUTER,                                                 \
      "No more emergency grants today.", "今日紧急授权已达上限。")                                 \
    X(SUPPLEMENT_OVERDUE, FAILED_PRECONDITION, OUTER,                                              \
      "An earlier emergency has not been supplemented in time; do that first.",                    \
      "先前的紧急授权逾期未补办手续，请先补办。")                                                  \
    X(ANSWER_INVALID, INVALID_ARGUMENT, OUTER,                                                     \
      "An answer is to no question of the catalogue, or not one its question takes.",              \
      "答案没有对应的问题，或不在该问题可答的范围内。")                                            \
    X(TRIES_EXHAUSTED, RESOURCE_EXHAUSTED, OUTER,                                                  \
      "Too many wrong codes; wait and compare the slip.",                                          \
      "凭条编号错误次数过多，请核对后稍候再试。")                                                  \
    /* this process only */                                                                        \
    X(CONFIG_INVALID, FAILED_PRECONDITION, LOCAL, "The configuration is not valid.",               \
      "配置无效。")                                                                                \
    X(SOURCE_WRITABLE, FAILED_PRECONDITION, LOCAL,                                                 \
      "The database account can do more than read; use one that can't.",                           \
      "数据库账号不是只读账号，请改用只读账号。")                                                  \
    X(SOURCE_DENIED, FAILED_PRECONDITION, LOCAL,                                                   \
      "The database refuses the account or its password.", "数据库拒绝该账号或口令。")             \
    X(SOURCE_NO_HOST, UNAVAILABLE, LOCAL, "The name of the database's host cannot be resolved.",   \
      "无法解析数据库主机名。")                                                                    \
    X(SOURCE_NO_DRIVER, FAILED_PRECONDITION, LOCAL,                                                \
      "The database's driver is not installed on this machine.", "本机未安装该数据库的驱动程序。") \
    X(SOURCE_FULL, UNAVAILABLE, LOCAL, "The database server is out of room or of connections.",    \
      "数据库服务器的空间或连接数已用尽。")                                                        \
    X(FILE_FAILED, FAILED_PRECONDITION, LOCAL, "A file cannot be read or written.",                \
      "文件无法读写。")                                                                            \
    X(BACKUP_BROKEN, DATA_LOSS, LOCAL,                                                             \
      "The backup was never finished, or something in it was changed.",                            \
      "备份未完成，或其内容已被改动。")                                                            \
    X(OTHER_LOG, FAILED_PRECONDITION, LOCAL, "The folder belongs to another log, or to none.",     \
      "该目录属于其他存证日志，或不是存证日志的目录。")                                            \
    X(REVIEW_UNRECORDED, UNAVAILABLE, LOCAL,                                                       \
      "The query was not run, because the node could not record it first.",                        \
      "节点未能先行记录，查询未执行。")                                                            \
    X(STATE_LOCKED, FAILED_PRECONDITION, LOCAL, "Another process holds this state.",               \
      "另一进程正在使用该状态目录。")                                                              \
    X(STORE_FAILED, INTERNAL, LOCAL, "The store failed.", "存储出错。")                            \
    X(STORE_CONFLICT, ALREADY_EXISTS, LOCAL, "The row exists already.", "记录已存在。")            \
    X(CRYPTO_FAILED, INTERNAL, LOCAL, "A cryptographic operation failed.", "密码运算失败。")       \
    X(TOKEN_EXPIRED, FAILED_PRECONDITION, LOCAL,                                                 \
      "The sealed value has expired; ask for a new one.", "密封值已过期，请重新获取。")            \
    X(REVIEW_STATE, FAILED_PRECONDITION, LOCAL,                                                    \
      "Not at that step: assign, explain, close; another person closes a grave one.",              \
      "提示不在该步骤：先指派，再说明，后办结；严重的须由另一人办结。")                            \
    X(PSI_AGREEMENT, FAILED_PRECONDITION, LOCAL,                                                   \
      "The two departments have not agreed on the same text; compare it word for word.",           \
      "双方部门的比对约定不一致，请逐字核对。")                                                    \
    X(PSI_REPEATED, FAILED_PRECONDITION, LOCAL,                                                    \
      "This list was compared with that department before, or one was too lately.",                \
      "该名单已与对方部门比对过，或距上次比对间隔不足。")                                          \
    X(PSI_TOO_FEW, FAILED_PRECONDITION, LOCAL, "Too few people for a number to be told.",          \
      "人数过少，不予显示。")                                                                      \
    X(NO_MEMORY, RESOURCE_EXHAUSTED, LOCAL, "Memory is exhausted.", "内存不足。")                  \
    X(ABSENT, NOT_FOUND, LOCAL, "There is no such thing.", "不存在。")

/* The canonical codes of gRPC, by their numbers on the wire. */
enum lb_canonical {
    LB_CANON_OK = 0,
    LB_CANON_CANCELLED = 1,
    LB_CANON_UNKNOWN = 2,
    LB_CANON_INVALID_ARGUMENT = 3,
    LB_CANON_DEADLINE_EXCEEDED = 4,
    LB_CANON_NOT_FOUND = 5,
    LB_CANON_ALREADY_EXISTS = 6,
    LB_CANON_PERMISSION_DENIED = 7,
    LB_CANON_RESOURCE_EXHAUSTED = 8,
    LB_CANON_FAILED_PRECONDITION = 9,
    LB_CANON_ABORTED = 10,
    LB_CANON_OUT_OF_RANGE = 11,
    LB_CANON_UNIMPLEMENTED = 12,
    LB_CANON_INTERNAL = 13,
    LB_CANON_UNAVAILABLE = 14,
    LB_CANON_DATA_LOSS = 15,
    LB_CANON_UNAUTHENTICATED = 16,
};

enum lb_scope { LB_SCOPE_OUTER, LB_SCOPE_INNER, LB_SCOPE_LOCAL };

enum lb_code {
    LB_CODE_OK = 0,
#define LB_CODE_ENUM(name, canonical, scope, en, zh) LB_##name,
    LB_CODES(LB_CODE_ENUM)
#undef LB_CODE_ENUM
        LB_NUM_CODES
};

#endif
