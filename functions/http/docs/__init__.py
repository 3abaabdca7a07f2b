"""The page /docs: the OpenAPI document for people, with a form that tries each operation. All of it is our own text:
no code of others runs in the browser, and the Content-Security-Policy allows this page's one script and style only.
"""
