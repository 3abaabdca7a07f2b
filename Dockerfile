# One image for all roles; the role is the command: a module of Python with its arguments.
#   docker build -t nestor .
#   docker run nestor gunicorn -c functions/gunicorn_conf.py 'functions.gateway.app:create_app()'
#   docker run nestor queues.master -t 8 --queues default --worker-shutdown-timeout 150000
#   docker run nestor queues.master -t 4 --queues sends --worker-shutdown-timeout 150000
#   docker run nestor queues.scheduler
#   docker run nestor scripts.bootstrap
# It needs no place to write but /tmp, and /blobs where BLOB_URL=file:/blobs (compose.yaml). BASE is any image with Python >= 3.11 and venv.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
WORKDIR /app
RUN ["python3", "-m", "venv", "/venv"]
COPY requirements.txt constraints.txt ./
# pip compiles what it installs; a read-only root never could, and a start without .pyc files takes 2 s instead of 0.6 s.
RUN ["/venv/bin/python", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "-r", "requirements.txt"]
RUN ["/venv/bin/python", "-m", "compileall", "-q", "-j", "0", "/venv/lib"]
COPY models models
COPY queues queues
COPY functions functions
COPY workflow_defs workflow_defs
COPY scripts scripts
RUN ["/venv/bin/python", "-m", "compileall", "-q", "-j", "0", "models", "queues", "functions", "workflow_defs", "scripts"]

FROM ${BASE}
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
# A named volume takes over the owner of the folder that it is mounted on.
RUN ["install", "-d", "-m", "0700", "-o", "10001", "-g", "10001", "/blobs"]
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8080
# Exec form: Python is process 1 and gets SIGTERM itself; a shell in between would swallow it.
ENTRYPOINT ["/venv/bin/python", "-m"]
CMD ["gunicorn", "-c", "functions/gunicorn_conf.py", "functions.gateway.app:create_app()"]
