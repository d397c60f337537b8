"""Who is in the demo federation, and how its folder is laid out."""

import dataclasses
import os

from departments import LAG_DAYS

FEDERATION = "demo.lianban"
OFFICE, HALL, OPERATOR = "street-office", "consent-hall", "federation-operator"
AUDIT = "audit-office"
DEPARTMENTS = tuple(LAG_DAYS)
NAMES = {
    "public-security": ("公安局", "Public security"),
    "civil-affairs": ("民政局", "Civil affairs"),
    "social-security": ("人社局", "Social security"),
    "medical-insurance": ("医保局", "Medical insurance"),
    "health": ("卫健委", "Health"),
    "education": ("教委", "Education"),
    "housing": ("住建委", "Housing"),
    "tax": ("税务局", "Tax"),
    "disabled-federation": ("残联", "Disabled persons' federation"),
    "finance": ("财政局", "Finance"),
    OFFICE: ("街道办事处", "Street office"),
    HALL: ("政务服务大厅同意服务台", "Consent hall"),
    OPERATOR: ("联办运行中心", "Federation operator"),
    AUDIT: ("审计局", "Audit office"),
}
NUM_PORTS = 15  # and one for each broker after the first, two for each window
CLERK = "clerk"
# This one allows no inbound port: its adapter dials the brokers.
DIALS_OUT = "disabled-federation"


@dataclasses.dataclass
class Member:
    """One node or desk. `folder` holds all it owns."""

    name: str           # "broker" ("broker-2" ...), "consent", "window" ("window-2" ...), "desk" or a department
    kind: str
    organization: str
    folder: str
    address: str        # "" if it does not listen
    instance: str = ""  # the last part of its SPIFFE id, if any
    http: str = ""      # the window agent's loopback ports, for window systems beside it
    grpc: str = ""
    inside: str = ""    # an adapter's socket for its own officers, where there is no address

    @property
    def spiffe(self):
        last = "/" + self.instance if self.instance else ""
        return f"spiffe://{FEDERATION}/{self.kind}/{self.organization}{last}"

    @property
    def keeps_log(self):
        return self.name != "desk"

    @property
    def config(self):
        return os.path.join(self.folder, "node.yaml")

    @property
    def state(self):
        return os.path.join(self.folder, "state")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)


def clerk_of(member):
    """SPIFFE id of who takes out what windows hand in to a department."""
    return f"spiffe://{FEDERATION}/officer/{member.organization}/{CLERK}"


def num_ports(brokers, windows):
    """How many ports members_of takes."""
    return NUM_PORTS + brokers - 1 + 2 * (windows - 1)


def agent_of(department):
    """Name of a department's own agent, which runs its triggers."""
    return department + "-agent"


def members_of(root, ports, socket, witnessed=False, brokers=1, attached=(DIALS_OUT,), windows=1, watching=()):
    """All members by name. `ports` are as many as num_ports says; `socket` makes unix: addresses of names.
    With `witnessed` there is an audit office's node, which only witnesses; the departments `attached`
    have no port, those `watching` an agent of their own; all `windows` are agents of the one street office."""
    def at(index):
        return f"127.0.0.1:{ports[index]}"

    found = [Member("broker", "broker", OPERATOR, os.path.join(root, "broker"), at(0)),
             Member("consent", "consent", HALL, os.path.join(root, "consent"), at(1)),
             Member("desk", "consent", HALL, os.path.join(root, "consent", "desk-1"), "", "desk-1"),
             Member("window", "window", OFFICE, os.path.join(root, "window"), socket("agent"), http=at(12),
                    grpc=at(13))]
    found += [Member(f"broker-{num}", "broker", OPERATOR, os.path.join(root, f"broker-{num}"),
                     at(NUM_PORTS + num - 2), str(num)) for num in range(2, brokers + 1)]
    for num in range(2, windows + 1):
        name, first = f"window-{num}", num_ports(brokers, num - 1)
        found.append(Member(name, "window", OFFICE, os.path.join(root, name), socket(name), str(num),
                            http=at(first), grpc=at(first + 1)))
    for index, department in enumerate(DEPARTMENTS):
        member = Member(department, "adapter", department, os.path.join(root, "adapters", department),
                        at(2 + index))
        if department in attached:
            member.address, member.inside = "", socket(department)
        found.append(member)
    found += [Member(agent_of(department), "window", department,
                     os.path.join(root, "adapters", agent_of(department)), socket(agent_of(department)))
              for department in watching]
    if witnessed:
        found.append(Member("audit", "auditor", AUDIT, os.path.join(root, "audit"), at(14)))
    return {member.name: member for member in found}
