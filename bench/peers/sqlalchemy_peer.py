"""SQLAlchemy on the same workloads: sqlalchemy_peer.py WORKLOAD [SIZE [URL]] prints name and nanoseconds a unit.

Where a URL is given (of psycopg2 or PyMySQL), the tables are there already; else they are made in memory.

Written for the 1.4 that Debian has (python3-sqlalchemy), expire_on_commit=False, its own default pool.
"""
import sys
import time

import sqlalchemy as sa
from sqlalchemy import orm

Base = orm.declarative_base()


class Person(Base):
    __tablename__ = "person"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String)
    email = sa.Column(sa.String)
    age = sa.Column(sa.Integer)
    score = sa.Column(sa.Float)
    created = sa.Column(sa.String)
    addresses = orm.relationship("Address", back_populates="person")


class Address(Base):
    __tablename__ = "address"
    id = sa.Column(sa.Integer, primary_key=True)
    person_id = sa.Column(sa.ForeignKey("person.id"), index=True)
    email = sa.Column(sa.String)
    person = orm.relationship("Person", back_populates="addresses")


# The data: the same formulas as in common.lua and limit.h.
def person_values(i):
    return dict(
        name="Person %06d" % i,
        email="person%06d@example.org" % i,
        age=18 + i % 70,
        score=i * 0.5 + 0.25,
        created="2024-%02d-%02d %02d:%02d:%02d" % (1 + i % 12, 1 + i % 28, i % 24, i % 60, i // 60 % 60),
    )


def address_values(i):
    return dict(email="home%07d@example.org" % i)


POINT_ROWS = 100000


def point_key(i):
    return i * 7919 % POINT_ROWS + 1


def person_sum(p):
    return p["id"] + p["age"] + p["score"] + len(p["name"]) + len(p["email"]) + len(p["created"])


def check_people(people, size):
    found = sum(person_sum(p.__dict__ if isinstance(p, Person) else p._mapping) for p in people)
    assert len(people) == size, len(people)
    assert found == sum(person_sum(dict(person_values(i), id=i)) for i in range(1, size + 1)), found


def filled_engine(rows, children=0):
    if len(sys.argv) > 3:
        engine = sa.create_engine(sys.argv[3])
        engine.connect().close()  # one waits in the pool, as the limit has one
        return engine
    engine = sa.create_engine("sqlite://")

    @sa.event.listens_for(engine, "connect")
    def foreign_keys(connection, _record):
        connection.execute("pragma foreign_keys = on")

    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        if rows:
            connection.execute(sa.insert(Person.__table__), [dict(person_values(i), id=i) for i in range(1, rows + 1)])
        if rows and children:
            addresses = [dict(address_values(i), id=i, person_id=(i - 1) // children + 1) for i in range(1, rows * children + 1)]
            connection.execute(sa.insert(Address.__table__), addresses)
    return engine


def filled_session(rows, children=0):
    return orm.Session(filled_engine(rows, children), expire_on_commit=False, future=True)


def timed(name, units, action):
    start = time.perf_counter_ns()
    result = action()
    print("%s %.1f" % (name, (time.perf_counter_ns() - start) / units))
    return result


def w1(size):
    session = filled_session(0)
    values = [person_values(i) for i in range(1, size + 1)]

    def action():
        people = [Person(**v) for v in values]
        session.add_all(people)
        session.commit()
        return people

    check_people(timed("W1", size, action), size)


def w2(size):
    session = filled_session(size)
    check_people(timed("W2", size, lambda: session.execute(sa.select(Person)).scalars().all()), size)


def w2_read(size):
    session = filled_session(size)

    def action():
        people = session.execute(sa.select(Person)).scalars().all()
        for p in people:
            p.id, p.name, p.email, p.age, p.score, p.created
        return people

    check_people(timed("W2.read", size, action), size)


def w3(size):
    with filled_engine(size).connect() as connection:

        def action():
            total = 0
            for id, name, email, age, score, created in connection.execute(sa.select(Person.__table__)):
                total += id
            return total

        assert timed("W3", size, action) == size * (size + 1) // 2


def w4(size):
    with filled_engine(POINT_ROWS).connect() as connection:

        def action():
            table = Person.__table__
            return [connection.execute(sa.select(table).where(table.c.id == point_key(i))).one() for i in range(size)]

        rows = timed("W4", size, action)
        assert [row.id for row in rows] == [point_key(i) for i in range(size)]


def get_all(name, session, size):
    people = timed(name, size, lambda: [session.get(Person, point_key(i)) for i in range(size)])
    assert [p.id for p in people] == [point_key(i) for i in range(size)]


def w4_miss(size):
    get_all("W4.miss", filled_session(POINT_ROWS), size)


def w4_hit(size):
    session = filled_session(POINT_ROWS)
    people = session.execute(sa.select(Person)).scalars().all()
    get_all("W4.hit", session, size)
    assert len(people) == POINT_ROWS


def w5(name, option=None):
    def work(size):
        session = filled_session(size, 10)
        statement = sa.select(Person).options(*([option(Person.addresses)] if option else []))

        def action():
            people = session.execute(statement).scalars().unique().all()
            return people, sum(len(p.addresses) for p in people)

        people, children = timed(name, size, action)
        check_people(people, size)
        assert children == 10 * size, children

    return work


def w6(size):
    session = filled_session(size)
    people = session.execute(sa.select(Person)).scalars().all()

    def action():
        for p in people:
            p.age += 1
        session.flush()

    timed("W6", size, action)
    assert session.execute(sa.text("select sum(age - 19 - id % 70) from person")).scalar() == 0


def w7(size):
    session = filled_session(0)
    values = [person_values(i) for i in range(1, size + 1)]
    homes = [[address_values(3 * i + j) for j in (1, 2, 3)] for i in range(size)]

    def action():
        for v, children in zip(values, homes):
            p = Person(**v)
            for child in children:
                p.addresses.append(Address(**child))
            session.add(p)
        session.flush()

    timed("W7", size, action)
    count = "select count(*) from address as a join person as p on a.person_id = p.id"
    assert session.execute(sa.text(count)).scalar() == 3 * size


def w8_statement(i):
    person, address = Person.__table__, Address.__table__
    other = person.alias("other")
    homes = (
        sa.select(address.c.person_id, sa.func.count(address.c.id).label("n"))
        .where(address.c.email.like("%@example.org"))
        .group_by(address.c.person_id)
        .cte("homes")
    )
    average = sa.select(sa.func.avg(person.c.score)).where(person.c.age > i).scalar_subquery()
    return (
        sa.select(person.c.name, other.c.name.label("other"), address.c.email, homes.c.n)
        .select_from(person)
        .join(address, address.c.person_id == person.c.id)
        .join(other, other.c.age == person.c.age)
        .join(homes, homes.c.person_id == person.c.id)
        .where(person.c.score > average, other.c.id != person.c.id, person.c.name.like("Person%"))
        .order_by(person.c.name, homes.c.n.desc())
        .limit(10)
    )


def w8_compile(size):
    dialect = filled_engine(0).dialect
    text = timed("W8.compile", size, lambda: [str(w8_statement(i).compile(dialect=dialect)) for i in range(size)][-1])
    assert text.count("JOIN") == 3 and text.startswith("WITH"), text


def w8_lookup(size):
    dialect, cache = filled_engine(0).dialect, {}

    def look_up(i):
        return w8_statement(i)._compile_w_cache(dialect, compiled_cache=cache, column_keys=[])[0]

    look_up(0)
    timed("W8.lookup", size, lambda: [look_up(i) for i in range(size)][-1])
    assert len(cache) == 1


def w8_cached(size):
    with filled_engine(0).connect() as connection:
        connection.execute(w8_statement(0)).all()
        rows = timed("W8.cached", size, lambda: sum(len(connection.execute(w8_statement(i)).all()) for i in range(size)))
        assert rows == 0


WORKLOADS = {
    "W1": (w1, 100000),
    "W2": (w2, 100000),
    "W2.read": (w2_read, 100000),
    "W3": (w3, 100000),
    "W4": (w4, 20000),
    "W4.miss": (w4_miss, 20000),
    "W4.hit": (w4_hit, 20000),
    "W5.lazy": (w5("W5.lazy"), 5000),
    "W5.joined": (w5("W5.joined", orm.joinedload), 5000),
    "W5.selectin": (w5("W5.selectin", orm.selectinload), 5000),
    "W6": (w6, 100000),
    "W7": (w7, 20000),
    "W8.compile": (w8_compile, 1000),
    "W8.lookup": (w8_lookup, 1000),
    "W8.cached": (w8_cached, 1000),
}

if __name__ == "__main__":
    if sys.argv[1] in WORKLOADS:
        work, size = WORKLOADS[sys.argv[1]]
        work(int(sys.argv[2]) if len(sys.argv) > 2 else size)
