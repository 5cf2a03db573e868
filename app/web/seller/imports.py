"""x"""
from app.access import Guarded
pages = Guarded("seller_imports", __name__)
