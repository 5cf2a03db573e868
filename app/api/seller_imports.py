"""x"""
from app.api.kernel import Api
api = Api("seller_imports", tag="Catalogue")
